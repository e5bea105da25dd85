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
    named = set(re.findall(r"(?:`|bin/|^)harness ([a-z]+)", TEXT, re.MULTILINE))
    assert named <= set(cli.COMMANDS) and {"sweep", "run", "compare", "leaderboard"} <= named


def test_every_file_that_is_named_exists() -> None:
    folders = "sweeps|tests|harness|trainers|leaderboards|datasets"
    named = set(re.findall(rf"\b(?:{folders})/[\w/.-]+\.(?:py|yaml)\b", TEXT))
    assert "sweeps/quickstart.yaml" in named
    assert [path for path in sorted(named) if not (TOP / path).is_file()] == []
