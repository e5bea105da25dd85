"""Where a number comes from: the code that ran, not the folder one stands in."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from harness.records.provenance import Sources, code, collect, scrub, versions


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "harness").mkdir()
    (tmp_path / "harness" / "a.py").write_text("1\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    return tmp_path


def test_a_clean_checkout_has_a_commit(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    found = code(checkout / "harness")
    assert found.commit is not None and len(found.commit) == 40
    assert found.describe == found.commit[: len(found.describe or "")]
    assert not found.dirty


def test_looking_takes_no_lock_that_a_kill_would_leave_behind(checkout: Path) -> None:
    os.utime(checkout / "harness" / "a.py", (0, 0))  # git would note the new time in its index
    before = (checkout / ".git" / "index").read_bytes()
    assert not code(checkout / "harness").dirty
    assert (checkout / ".git" / "index").read_bytes() == before


def test_changed_and_new_code_is_dirty_notes_are_not(checkout: Path) -> None:
    (checkout / "NOTES.md").write_text("")
    (checkout / "sweeps").mkdir()
    (checkout / "sweeps" / "mine.yaml").write_text("")
    assert not code(checkout / "harness").dirty
    (checkout / "harness" / "a.py").write_text("2\n")
    (checkout / "harness" / "b.py").write_text("")
    found = code(checkout / "harness")
    assert found.dirty and found.changed == ("harness/a.py", "harness/b.py")


def test_an_installed_package_has_a_version_only(checkout: Path) -> None:
    """Also when site-packages lies inside somebody's checkout: that commit is not ours."""
    site = checkout / "venv" / "site-packages"
    (site / "harness").mkdir(parents=True)
    found = code(site / "harness")
    assert (
        found.commit is None
        and not found.dirty
        and found.version == versions(("lean-harness",))["lean-harness"]
    )


def test_secrets_are_struck_out() -> None:
    given = ["harness", "run", "--api-key", "s3cret", "--token=abc", "--set", "wandb_key=xyz", "HF_TOKEN=q"]
    assert scrub([*given, "--password", "--seed", "3"]) == [
        *["harness", "run", "--api-key", "***", "--token=***", "--set", "wandb_key=***", "HF_TOKEN=***"],
        *["--password", "--seed", "3"],
    ]


def test_a_session_is_plain_json_with_everything_in_it() -> None:
    sources = Sources("smoke", "91b9", 74, "core", {"generator": "0123"})
    session = collect(sources, command=["harness", "eval"])
    assert json.loads(json.dumps(session)) == session
    assert session["command"] == ["harness", "eval"]
    assert (session["benchmark_revision"], session["problems"]) == ("91b9", 74)
    assert session["checkpoints"] == {"generator": "0123"}
    assert "torch" in session["packages"] and session["finished_at"] is None
    assert {"version", "commit", "describe", "dirty", "changed"} == set(session["code"])
