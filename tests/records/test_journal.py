"""The append-only file: whole lines or none, whatever happens to the process or the disk."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.records.journal import FolderLock, Journal, read_json, read_rows, write_json


def rows(path: Path) -> list[dict[str, object]]:
    return [row for _, row in read_rows(path)]


def test_rows_come_back_with_any_text(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    given = [{"t": "∀ x,\n x\u2028y"}, {"t": "lone \ud800 surrogate"}, {"t": ""}]
    journal = Journal(path)
    journal.append(given)
    journal.close()
    assert rows(path) == given
    assert "∀" in path.read_bytes().decode(), "people read this file"


def test_a_torn_last_line_is_passed_over_and_then_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": 2')
    assert rows(path) == [{"a": 1}]
    assert path.read_bytes().endswith(b'{"a": 2'), "reading changes nothing"
    journal = Journal(path)
    journal.append([{"a": 3}])
    journal.close()
    assert path.read_bytes() == b'{"a": 1}\n{"a": 3}\n'


def test_a_torn_line_longer_than_the_search_window_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": "' + b"x" * 200_000)
    Journal(path).close()
    assert path.read_bytes() == b'{"a": 1}\n'


@pytest.mark.parametrize("line", [b"{broken\n", b"[1]\n", b"\xff\xfe\n", b"\n", b"\0\0\0\n"])
def test_a_corrupt_line_is_named_with_its_fix(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1}\n' + line + b'{"a": 3}\n')
    with pytest.raises(StoreError, match=r"a\.jsonl:2: .*delete that line") as error:
        rows(path)
    assert "\n" not in str(error.value)


LIMITED = """
import resource, sys
from pathlib import Path
from harness.errors import StoreError
from harness.records.journal import Journal, read_rows
path = Path(sys.argv[1])
journal = Journal(path)
journal.append([{"n": 0, "pad": "x" * 400}])
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
try:
    journal.append([{"n": 1, "pad": "x" * 400}, {"n": 2, "pad": "x" * 400}])
except StoreError as error:
    print(error)
print(path.stat().st_size == journal.size, [row["n"] for _, row in read_rows(path)])
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
journal.append([{"n": 1, "pad": "x" * 400}])
print([row["n"] for _, row in read_rows(path)])
"""


def test_a_full_disk_costs_one_line_and_no_record(tmp_path: Path) -> None:
    """A file-size limit makes the second write stop half way, as a full disk does."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "a.jsonl")], capture_output=True, text=True, check=True
    )
    told, kept, after = done.stdout.splitlines()
    assert "cannot be written: File too large; make room" in told
    assert (kept, after) == ("True [0]", "[0, 1]")


def test_an_interrupted_write_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jsonl"
    journal = Journal(path)
    journal.append([{"a": 1}])
    real = os.write

    def stopped(fd: int, data: bytes) -> int:
        real(fd, bytes(data)[:5])
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "write", stopped)
    with pytest.raises(KeyboardInterrupt):
        journal.append([{"a": 2}])
    monkeypatch.undo()
    journal.append([{"a": 3}])
    assert rows(path) == [{"a": 1}, {"a": 3}]


def test_nan_is_refused_and_nothing_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a.jsonl")
    with pytest.raises(StoreError, match="JSON"):
        journal.append([{"a": 1}, {"a": float("nan")}])
    assert rows(tmp_path / "a.jsonl") == []


def test_a_folder_that_cannot_hold_the_file_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").mkdir()
    with pytest.raises(StoreError, match="cannot be opened for writing"):
        Journal(tmp_path / "a.jsonl")


def test_whole_files_are_replaced_or_left(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    write_json(path, {"a": 1})
    with pytest.raises(StoreError, match="JSON"):
        write_json(path, {"a": object()})
    assert read_json(path) == {"a": 1}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(StoreError, match="File too large"):
            write_json(path, {"a": "x" * 100})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert read_json(path) == {"a": 1}
    assert [item.name for item in tmp_path.iterdir()] == ["s.json"], "no draft is left behind"
    assert read_json(tmp_path / "absent.json") is None
    path.write_text("{")
    with pytest.raises(StoreError, match=r"s\.json: not JSON"):
        read_json(path)


def test_one_writer_at_a_time_and_a_dead_one_frees_the_lock(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    holder = "import sys, time; from pathlib import Path; from harness.records.journal import FolderLock\n"
    holder += "lock = FolderLock(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", holder, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "held\n"
    with pytest.raises(StoreError, match=rf"another process \(pid {child.pid}\) is writing here"):
        FolderLock(path)
    child.kill()
    child.wait()
    child.stdout.close()
    with FolderLock(path), pytest.raises(StoreError, match=f"pid {os.getpid()}"):
        FolderLock(path)
    FolderLock(path).release()
