"""Collections by the name of a stage or run: counts, split, labels, Parquet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import cli
from harness.experiment.spec import ValueSpec
from trainers import collected, trajectories
from trainers.trajectories import LabelledState

TRAJECTORIES, VALUE = "a" * 12, "b" * 12


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Trajectories, a value model trained on them and a run that it guides."""
    inputs = {
        f"trajectories-{TRAJECTORIES}": {"round": 1, "seed": 0, "value": None},
        f"value-{VALUE}": {"trajectories": [TRAJECTORIES], "value": {"gamma": 0.5, "held_out": 0.3}},
    }
    for name, given in inputs.items():
        folder = tmp_path / "stages" / name
        folder.mkdir(parents=True)
        facts = {"stage": name.split("-")[0], "metrics": {}, "seconds": 1, "inputs": given}
        (folder / "stage.json").write_text(json.dumps(facts))
    states = [
        LabelledState(f"t{n}", f"r{n}", f"⊢ {m}", m or None, "proof" if m else "other", "x", 0)
        for n in range(20)
        for m in range(3)
    ]
    trajectories.write(tmp_path / "stages" / f"trajectories-{TRAJECTORIES}" / "states.jsonl", states)
    (tmp_path / "e.search-1").mkdir()
    (tmp_path / "e.search-1" / "spec.json").write_text(json.dumps({"value": {"digest": VALUE}}))
    return tmp_path


@pytest.mark.parametrize("name", [f"value-{VALUE}", "value-bbb", "trajectories-aa", "e.search-1", "e.s"])
def test_a_name_leads_to_its_trajectories(runs: Path, name: str) -> None:
    found = collected.find(runs, name)
    assert [folder.name for folder in found.folders] == [f"trajectories-{TRAJECTORIES}"]
    guided = not name.startswith("traj")
    assert (found.value.gamma, found.value.held_out) == ((0.5, 0.3) if guided else (0.95, 0.1))


def test_counts_and_the_split_by_theorem(runs: Path) -> None:
    states = collected.find(runs, "e.search-1").states
    kinds = {"proof": 40, "other": 20, "unprovable": 0}
    assert collected.rounds(states) == [{"round": 1, "theorems": 20, "states": 60, **kinds}]
    sides = collected.sides(states, ValueSpec(gamma=0.5, held_out=0.3), 0)
    assert sum(side["theorems"] for side in sides.values()) == 20
    for side in sides.values():
        count = side["theorems"]
        assert 0 < count < 20 and (side["states"], side["labelled"]) == (3 * count, 2 * count)
        assert side["histogram"] == [0, 0, count, 0, 0, count, 0, 0, 0, 0]


def test_the_command_prints_and_exports(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    file = runs / "out.parquet"
    argv = ["data", "trajectories", "e.search-1", "--runs", str(runs)]
    assert cli.main([*argv, "--parquet", str(file)]) == 0
    out = capsys.readouterr().out
    assert f"trajectories-{TRAJECTORIES}" in out and "label 0.2 to 0.3" in out and "60 states" in out
    rows = parquet.read_table(file).to_pylist()
    assert [LabelledState(**row) for row in rows] == collected.find(runs, "e.search-1").states
    assert cli.main([*argv, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["gamma"] == 0.5


def test_mistakes_are_one_line(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (runs / "plain-1").mkdir()
    (runs / "plain-1" / "spec.json").write_text("{}")
    for argv, told in (
        (["data", "trajectories"], "name one RUN or training stage"),
        (["data", "trajectories", "plain-1"], "plain-1: no trajectories under"),
        (["data", "trajectories", "nobody"], "no run called 'nobody'"),
        (["data", "list", "--parquet", "x"], "--parquet is for data trajectories"),
    ):
        assert cli.main([*argv, "--runs", str(runs)]) == 2
        assert told in capsys.readouterr().err
