"""Runs on disk: facts are appended, kept through kills, and never mixed."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.errors import StoreError, UserError
from harness.nested import digest as spec_digest
from harness.records.store import RunStore
from harness.types import ProblemRef
from tests.making import record, ref, refs, session, spec


def opened(folder: Path, problems: list[ProblemRef] | None = None, **changes: Any) -> RunStore:
    return RunStore.create_or_resume(folder, spec(**changes), problems or refs(3), session())


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    problems = refs(3)
    with opened(tmp_path / "r", problems) as store:
        assert store.owed(2) == [(problem, index) for index in (0, 1) for problem in problems]
        store.append_many([record("p000"), record("p002", "rejected")])
    with opened(tmp_path / "r", problems) as store:
        assert [r.problem_id for r in store.records] == ["p000", "p002"]
        assert [(p.id, i) for p, i in store.owed(2)] == [("p001", 0), ("p000", 1), ("p001", 1), ("p002", 1)]
        assert len(sessions(tmp_path / "r")) == 1, "it has only looked"
        store.append(record("p001"))
    assert len(sessions(tmp_path / "r")) == 2


def sessions(folder: Path) -> list[Any]:
    return list(json.loads((folder / "provenance.json").read_text())["sessions"])


def test_killed_at_every_byte_of_the_last_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the write was cut, the resumed run ends with the records of an uninterrupted one."""
    monkeypatch.setattr(os, "fsync", lambda fd: None)  # hundreds of resumptions; nobody pulls the plug here
    given = [record("p000"), record("p001", "timeout"), record("p002", proof="exact ⟨h, «x»⟩")]
    with opened(tmp_path / "whole") as store:
        store.append_many(given)
        whole = (tmp_path / "whole" / "records.jsonl").read_bytes()
    two = len(b"".join(whole.splitlines(keepends=True)[:2]))
    folder = tmp_path / "cut"
    opened(folder).close()
    for cut in range(two, len(whole) + 1):
        (folder / "records.jsonl").write_bytes(whole[:cut])
        with opened(folder) as store:
            assert store.records[:2] == given[:2]
            owed = {problem.id for problem, _ in store.owed(1)}
            store.append_many([one for one in given if one.problem_id in owed])
        assert (folder / "records.jsonl").read_bytes() == whole


def test_a_changed_spec_is_refused_by_name_and_nothing_touched(tmp_path: Path) -> None:
    with opened(tmp_path / "r") as store:
        store.append(record("p000"))
    before = (tmp_path / "r" / "records.jsonl").read_bytes()
    with pytest.raises(StoreError, match=r"changed since this run began: lean\.level, search\.alpha; give"):
        opened(tmp_path / "r", **{"search.alpha": 0.7, "lean.level": "fast"})
    with pytest.raises(StoreError, match="not the problems that this run began with"):
        opened(tmp_path / "r", refs(4))
    assert (tmp_path / "r" / "records.jsonl").read_bytes() == before
    opened(tmp_path / "r").close()


def test_tuples_in_a_spec_are_lists_when_it_comes_back(tmp_path: Path) -> None:
    opened(tmp_path / "r", **{"evaluation.k": (1,)}).close()
    opened(tmp_path / "r", **{"evaluation.k": (1,)}).close()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda row: row | {"attempt": {}}, "no 'usage'"),
        (lambda row: row | {"verdict": row["verdict"] | {"status": "maybe"}}, "maybe"),
        (
            lambda row: row | {"problem_id": "stranger"},
            "stranger at revision .* is none of this run's problems",
        ),
        (lambda row: row | {"attempt": row["attempt"] | {"surprise": 1}}, "surprise"),
    ],
)
def test_a_corrupt_record_is_named_and_the_file_kept(tmp_path: Path, spoil: Any, said: str) -> None:
    with opened(tmp_path / "r") as store:
        store.append_many([record("p000"), record("p001"), record("p002")])
    path = tmp_path / "r" / "records.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    lines[1] = json.dumps(spoil(json.loads(lines[1]))) + "\n"
    path.write_text("".join(lines))
    with pytest.raises(StoreError, match=rf"records\.jsonl:2: .*{said}.*delete that line"):
        opened(tmp_path / "r")
    assert path.read_text() == "".join(lines)
    path.write_text("".join(lines[:1] + lines[2:]))
    with opened(tmp_path / "r") as store:
        assert [problem.id for problem, _ in store.owed(1)] == ["p001"]


def test_a_second_record_of_an_attempt_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "r") as store:
        store.append(record("p000"))
        with pytest.raises(StoreError, match="second record of p000, sample 0"):
            store.append(record("p000", "rejected"))
        with pytest.raises(StoreError, match="second record of p001"):
            store.append_many([record("p001"), record("p001")])
        with pytest.raises(StoreError, match="none of this run's problems"):
            store.append(record("q"))
        assert len(store.records) == 1
    path = tmp_path / "r" / "records.jsonl"
    assert path.read_text().count("\n") == 1
    path.write_text(path.read_text() * 2)
    with pytest.raises(StoreError, match=r"records\.jsonl:2: a second record of p000"):
        opened(tmp_path / "r")


def test_what_the_machine_failed_can_be_tried_again(tmp_path: Path) -> None:
    with opened(tmp_path / "r") as store:
        store.append_many([record("p000", "infra"), record("p001"), record("p002", "rejected")])
        assert store.owed(1) == []
        assert [problem.id for problem, _ in store.owed(1, retry_unscored=True)] == ["p000"]
        store.append(record("p000"))
    with opened(tmp_path / "r") as store:
        assert {r.problem_id: str(r.verdict.status) for r in store.records} == {
            "p000": "proved",
            "p001": "proved",
            "p002": "rejected",
        }


def test_two_processes_cannot_fill_one_run(tmp_path: Path) -> None:
    store = opened(tmp_path / "r")
    with pytest.raises(StoreError, match="another process"):
        opened(tmp_path / "r")
    store.close()
    store.close()
    opened(tmp_path / "r").close()


def test_empty_and_repeated_problem_sets_are_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no problems"):
        RunStore.create_or_resume(tmp_path / "r", spec(), [], session())
    with pytest.raises(UserError, match="'a' stands twice"):
        RunStore.create_or_resume(tmp_path / "r", spec(), [ref("a"), ref("a")], session())
    assert not (tmp_path / "r").exists()


def test_a_run_killed_while_it_is_made_can_be_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    opened(folder).close()
    (folder / "spec.json").unlink()
    (folder / "records.jsonl").unlink()
    opened(folder).close()
    (folder / "spec.json").unlink()
    with pytest.raises(StoreError, match=r"spec\.json: missing beside records"):
        opened(folder)


def test_the_folder_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be created"):
        opened(tmp_path / "file" / "r")


def test_finishing_stamps_summary_and_session(tmp_path: Path) -> None:
    with opened(tmp_path / "r") as store:
        store.append(record("p000"))
        store.finish({"solved": 1})
    digest = hashlib.sha256((tmp_path / "r" / "records.jsonl").read_bytes()).hexdigest()
    summary = json.loads((tmp_path / "r" / "summary.json").read_text())
    own = spec_digest({"solved": 1})
    size = (tmp_path / "r" / "records.jsonl").stat().st_size
    # Written a moment ago: its time would not tell an edit in the same tick of the clock.
    stamp = {"sha256": digest, "size": size, "mtime_ns": 0}
    assert summary == {"solved": 1, "records": {"lines": 1, **stamp, "summary": own}}
    sessions = json.loads((tmp_path / "r" / "provenance.json").read_text())["sessions"]
    assert sessions[0]["finished_at"].endswith("Z")


WRITER = """
import sys
from pathlib import Path
from harness.records.store import RunStore
from tests.making import record, refs, session, spec
with RunStore.create_or_resume(Path(sys.argv[1]), spec(), refs(900), session()) as store:
    for problem, _ in store.owed(1):
        store.append(record(problem.id))
        print(problem.id, flush=True)
"""


def test_a_killed_process_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    top = Path(__file__).parents[2]
    acknowledged: list[str] = []
    for _ in range(2):
        command = [sys.executable, "-c", WRITER, str(tmp_path / "r")]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=top)
        assert child.stdout is not None
        for _ in range(15):
            acknowledged.append(child.stdout.readline().strip())
        child.kill()
        acknowledged += child.stdout.read().split()
        child.wait()
        child.stdout.close()
    with RunStore.create_or_resume(tmp_path / "r", spec(), refs(900), session()) as store:
        kept = [one.problem_id for one in store.records]
    assert len(acknowledged) == len(set(acknowledged)) >= 30
    assert set(acknowledged) <= set(kept) and len(kept) == len(set(kept))


def test_other_k_are_asked_of_the_same_records(tmp_path: Path) -> None:
    many = {"evaluation.samples": 8}
    with opened(tmp_path / "r", **many, **{"evaluation.k": [1, 4]}) as store:
        store.append(record("p000"))
    with opened(tmp_path / "r", **many, **{"evaluation.k": [1, 8]}) as store:
        assert len(store.records) == 1 and store.spec["evaluation"]["k"] == [1, 4, 8]
    assert json.loads((tmp_path / "r" / "spec.json").read_text())["evaluation"]["k"] == [1, 4, 8]
    with pytest.raises(StoreError, match=r"changed since this run began: evaluation\.k, search\.alpha"):
        opened(tmp_path / "r", **many, **{"evaluation.k": [2], "search.alpha": 0.1})
