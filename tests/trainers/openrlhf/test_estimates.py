"""What a plan reckons with, and that equal work at two points of a sweep is counted once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.errors import SpecError
from harness.spec import ProblemsSpec
from tests.trainers.openrlhf.making import spec
from trainers.openrlhf import estimates
from trainers.openrlhf.model_size import shape_of


def planned(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    assert main(["plan", *argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_kl_sweep_on_the_node(capsys: pytest.CaptureFixture[str]) -> None:
    told = planned(capsys, "sweeps/kl.yaml", "--base", "node8")
    first, second, *_ = told["points"]
    assert len(told["points"]) == 4
    assert "--algo.kl.use_loss" in second["processes"][0]["argv"]
    assert not any(point["refusals"] for point in told["points"])
    step = next(cost for cost in first["costs"] if cost["name"] == "round 1: grpo")
    assert step["gpu_hours"] == pytest.approx(8 * step["wall_s"] / 3600)
    assert any(
        "512 proofs x 1024 tokens / (7289 a second x 4 GPUs) = 18.0 s" in t for t in step["arithmetic"]
    )
    names = {cost["name"] for cost in second["costs"]}
    # The first round's search and value model come before GRPO, the warm start's row needs none.
    assert {"round 1: trajectories", "round 1: value", "whole-warm-test"} & names == set()
    assert "round 2: trajectories" in names
    total = sum(cost["gpu_hours"] for point in told["points"] for cost in point["costs"])
    assert told["total"]["gpu_hours"] == pytest.approx(total)
    assert not any("KEY" in name for name in first["processes"][0]["environment"])


def test_an_alpha_sweep_trains_nothing_twice(capsys: pytest.CaptureFixture[str]) -> None:
    first, *others = planned(capsys, "alpha", "--base", "embedded")["points"]
    assert first["processes"] == []
    assert {cost["name"] for point in others for cost in point["costs"]} == {"search-valid", "search-test"}


def test_for_people_a_later_point_shows_what_differs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "sweeps/kl.yaml", "--base", "node8"]) == 0
    text = capsys.readouterr().out
    assert text.count("--vllm.num_engines 4") == 1
    assert text.count("--train.colocate_actor_ref") == 3
    assert "\nin all 4 points: " in text and "assumed, not measured: proof_lean_s" in text


def test_what_cannot_start_is_said_and_planned_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    (point,) = planned(capsys, "base/node8", "--set", "node.gpus=4")["points"]
    assert point["refusals"] == [
        "node.gpus: 4 are there and improve.openrlhf asks for 8 (4 to train + 4 engines x 1)"
    ]


def test_rows_are_chosen_by_size_and_scaled() -> None:
    rows = estimates.table()
    seven = estimates.rates_for(shape_of(spec()), rows)
    assert "7B" in seven.name
    assert seven.proof_tokens_per_s == pytest.approx(7200 * 6.9e9 / shape_of(spec()).parameters)


def test_rows_of_ones_own_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.yaml"
    row = estimates.table()[0].model_dump(mode="json") | {"name": "mine", "proof_tokens_per_s": 9000}
    path.write_text(json.dumps([row]))
    monkeypatch.setenv(estimates.VARIABLE, str(path))
    assert estimates.rates_for(shape_of(spec()), estimates.table()).name == "mine"
    path.write_text(json.dumps([row | {"states_per_s": 0}]))
    with pytest.raises(SpecError, match=r"mine\.yaml: 0\.states_per_s: input should be greater than 0"):
        estimates.table()
    monkeypatch.setenv(estimates.VARIABLE, str(tmp_path / "nowhere.yaml"))
    with pytest.raises(SpecError, match="cannot be read"):
        estimates.table()


def test_problems_are_counted_by_the_manifest() -> None:
    assert estimates.problems_of(ProblemsSpec(benchmark="core-curriculum", split="test")) == 400
    assert estimates.problems_of(ProblemsSpec(benchmark="core-curriculum", split="test", limit=20)) == 20
    assert estimates.problems_of(ProblemsSpec(benchmark="kimina-promptset", split="train", limit=50)) == 50
