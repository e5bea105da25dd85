"""What cannot be printed: ended pipes, full disks, closed streams, narrow encodings, foreign escapes."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.terminal.streams import Guarded, printable
from harness.terminal.tables import Column, Table, markdown, plain_text, show

TOP = Path(__file__).parents[2]
HARNESS = [sys.executable, "-m", "harness"]


def shell(command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`command` in bash, where $H is `python -m harness`; a broken pipe's own exit code is $PIPESTATUS."""
    environment = {**os.environ, "H": " ".join(HARNESS), "PYTHONPATH": str(TOP), **variables}
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env=environment, cwd=TOP, timeout=600
    )


RUN = (
    "eval --benchmark smoke --prover portfolio --limit 6 --set search.expansions=4 --set rounds=0 "
    "--set tracking.wandb=off --set runtime.canaries=0 --plain"
)


def test_a_reader_that_goes_away_ends_no_run(tmp_path: Path) -> None:
    # `read` takes one line and leaves; the run goes on, and its exit code is its own.
    done = shell(f"$H {RUN} --runs {tmp_path} 2>&1 | (read line); echo ${{PIPESTATUS[0]}}")
    assert done.stdout == "0\n" and done.stderr == ""
    [records] = tmp_path.glob("*/records.jsonl")
    assert records.read_bytes().count(b"\n") == 6
    assert (records.parent / "summary.json").is_file()


def test_a_full_disk_under_standard_output_is_told_when_the_work_is_done(tmp_path: Path) -> None:
    done = shell(f"$H {RUN} --runs {tmp_path} > /dev/full")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith(
        "harness: standard output: No space left on device; what was"
    )
    assert len(list(tmp_path.glob("*/summary.json"))) == 1


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", ">&- <&-"])
def test_a_closed_standard_output_is_told_before_anything_is_begun(tmp_path: Path, closed: str) -> None:
    done = shell(f"$H {RUN} --runs {tmp_path} {closed}")
    assert done.returncode == 2 and list(tmp_path.iterdir()) == []
    assert done.stderr in (
        "",
        "harness: standard output is closed; give results a place, such as > FILE or > /dev/null\n",
    )


def test_with_standard_error_closed_no_file_is_written_into(tmp_path: Path) -> None:
    done = shell(f"$H {RUN} --runs {tmp_path} 2>&-")
    assert done.returncode == 0 and "eval" in done.stdout
    [records] = tmp_path.glob("*/records.jsonl")
    assert all(line.startswith("{") for line in records.read_text().splitlines())


def test_a_narrow_encoding_gets_escapes(tmp_path: Path) -> None:
    done = shell("$H data show smoke --json; $H data overlap smoke smoke", PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and done.stderr == "" and done.stdout.isascii()


def test_foreign_control_characters_are_shown_and_not_obeyed() -> None:
    hostile = "name\x1b]0;mine\x07\x9b2J\u202eevil\rgone"
    shown = "name\\u001b]0;mine\\u0007\\u009b2J\\u202eevil\\u000dgone"
    assert printable(hostile) == shown and printable("∀ x,\ty\n") == "∀ x,\ty\n"
    stream = io.StringIO()
    print(hostile, file=Guarded(stream))
    assert stream.getvalue() == shown + "\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_tables_obey_no_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    table = Table("t\x1b[2J", [Column("c")], [["a\x1b[2Jb"]], notes=["n\x1b[2J"])
    out = Terminal()
    show([table], out)
    assert "\x1b[2J" not in out.getvalue() and "a\\u001b[2Jb" in out.getvalue()
    assert "\x1b[2J" not in markdown([table])


def test_no_color_means_no_escape_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    out = Terminal()
    show([Table("title", [Column("column")], [["x"]], bold={0}, notes=["note"])], out)
    assert "\x1b" not in out.getvalue() and "title" in out.getvalue()


def test_markdown_passes_no_html() -> None:
    table = Table("<b>t</b>", [Column("c")], [["<img src=x onerror=alert(1)> & more"]])
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; more" in markdown([table])
    assert "<" not in markdown([table]) and "<b>t</b>" in plain_text([table])
