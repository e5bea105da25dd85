"""Where things lie, for users with and without a home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.paths import expanded, home, local_data

TOP = Path(__file__).parents[1]


def test_a_leading_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    assert expanded("~/runs") == Path("/somewhere/runs") and expanded("~") == Path("/somewhere")
    assert expanded("a~/b") == Path("a~/b")
    monkeypatch.setenv("HARNESS_DATA", "~/data")
    assert local_data() == Path("/somewhere/data")


def test_the_runs_folder_and_a_checkpoint_may_begin_with_a_tilde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from harness import cli

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HARNESS_RUNS", "~/mine")
    assert cli.main(["runs"]) == 0
    assert f"no runs under {tmp_path}/mine" in capsys.readouterr().out
    assert cli.main(["eval", "--generator", "~/model", "--dry-run"]) == 2
    assert f"{tmp_path}/model: no such checkpoint folder" in capsys.readouterr().err


def test_without_a_home_there_is_a_place_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    assert home().is_absolute() and expanded("~/x") == home() / "x"


NAMELESS = """
import os, pwd, sys
def nobody(uid):
    raise KeyError(f"getpwuid(): uid not found: {uid}")
pwd.getpwuid = nobody
from harness.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    "argv",
    [
        ("eval", "--benchmark", "smoke", "--prover", "portfolio", "--limit", "3", "--set", "rounds=0"),
        ("data", "list"),
        ("data", "show", "minif2f"),
        ("doctor",),
    ],
)
def test_a_bare_number_of_a_user_is_enough(argv: tuple[str, ...], tmp_path: Path) -> None:
    """A container started with `--user 54321`: no HOME, no entry in /etc/passwd."""
    done = subprocess.run(
        [sys.executable, "-c", NAMELESS, *argv, "--runs", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=TOP,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(TOP), "TMPDIR": str(tmp_path)},
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 0 or "doctor" in argv, done.stderr
