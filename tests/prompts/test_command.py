"""`harness prompts`, as a person calls it."""

from __future__ import annotations

import json

import pytest

from harness.cli import main
from harness.prompts.registry import families


def test_every_family_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prompts"]) == 0
    listed = capsys.readouterr().out
    assert all(f"{item.name} " in listed and item.digest in listed for item in families().values())
    assert main(["prompts", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["goedel-prover-v2"]["writes"] == "proofs, repairs"
    assert (rows["bfs-prover"]["writes"], rows["bfs-prover"]["asked_by"]) == ("tactics", "text")


@pytest.mark.parametrize("name", list(families()))
def test_each_one_shows_what_it_sends(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prompts", name]) == 0
    assert families()[name].source in capsys.readouterr().out
    assert main(["prompts", name, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["prompts"] and all(item["messages"] or item["text"] for item in shown["prompts"])


def test_an_unknown_family_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prompts", "goedel"]) == 2
    assert "did you mean 'goedel-prover-v2'" in capsys.readouterr().err
