"""What the README tells people to type exists and parses."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from harness import cli

TOP = Path(__file__).parents[1]
TEXT = (TOP / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("marker", ["main command", "test command"])
def test_the_two_commands_are_one_line_each(marker: str) -> None:
    found = re.findall(rf"<!-- {marker} -->\n```sh\n(.*?)```", TEXT, re.DOTALL)
    assert len(found) == 1
    (line,) = found[0].strip().splitlines()
    parts = [shlex.split(part) for part in line.split(" && ")]
    assert parts[0] == ["python3", "-m", "venv", ".venv"]
    assert "requirements.lock" in parts[1] and parts[1][0] == ".venv/bin/pip"
    assert len(parts) == 3


def test_every_command_that_is_named_exists() -> None:
    named = set(re.findall(r"(?:`|bin/|^)harness ([a-z-]+)", TEXT, re.MULTILINE))
    assert named <= set(cli.COMMANDS) and {"sweep", "run", "compare", "leaderboard"} <= named


def test_the_example_of_a_benchmark_of_ones_own_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    section = TEXT.split("## Your own benchmark\n")[1].split("\n## ")[0]
    blocks = dict(re.findall(r"```(\w+)\n(.*?)```", section, re.DOTALL))
    (tmp_path / "mine.jsonl").write_text(blocks["json"], encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(blocks["yaml"], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    first, *commands = blocks["sh"].strip().splitlines()
    assert first == "export HARNESS_BENCHMARKS=$PWD"
    monkeypatch.setenv("HARNESS_BENCHMARKS", str(tmp_path))
    assert [shlex.split(line)[:3] for line in commands] == [
        ["harness", "data", "fetch"], ["harness", "data", "validate"], ["harness", "eval", "--prover"],
    ]  # fmt: skip
    for line in commands:
        assert cli.main(shlex.split(line)[1:]) == 0
    told = capsys.readouterr().out
    assert "mine: 2 problems, content " in told and "1 of 1 gold proofs proved" in told and "2/2" in told


def test_the_example_in_python_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {"__name__": "example"})
    told = capsys.readouterr().out
    assert "embedded.floor-" in told and "Estimate(value=0.9" in told and "smoke_" in told


def test_every_file_that_is_named_exists() -> None:
    folders = "sweeps|tests|harness|trainers|leaderboards|datasets"
    named = set(re.findall(rf"\b(?:{folders})/[\w/.-]+\.(?:py|yaml)\b", TEXT))
    assert "sweeps/quickstart.yaml" in named
    assert [path for path in sorted(named) if not (TOP / path).is_file()] == []
