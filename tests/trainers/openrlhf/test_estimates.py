"""What a plan reckons with, and that equal work at two points of a sweep is counted once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.errors import SpecError
from harness.experiment import files
from harness.experiment.files import Overrides
from harness.spec import ProblemsSpec
from tests.tiny_models import make_causal_lm
from tests.trainers.openrlhf.making import ONE_GPU, changed, spec
from trainers.openrlhf import estimates, rates
from trainers.openrlhf.model_size import named, shape_of, value_shape_of
from trainers.openrlhf.token_lengths import mean_tokens, statement_tokens


def planned(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    assert main(["plan", *argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_kl_sweep_on_the_node(capsys: pytest.CaptureFixture[str]) -> None:
    told = planned(capsys, "sweeps/kl.yaml", "--base", "node8")
    first, second, *_ = told["points"]
    assert len(told["points"]) == 4
    value, grpo = second["processes"]
    assert "--algo.kl.use_loss" in grpo["argv"] and "trainers.value_process" in value["argv"]
    assert value["gpus"] == list(range(8))
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
    assert "\nin all 4 points: " in text and "assumed, not measured: met_states, proof_lean_s" in text


def test_what_cannot_start_is_said_and_planned_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    (point,) = planned(capsys, "base/node8", "--set", "node.gpus=4")["points"]
    assert point["refusals"] == [
        "node.gpus: 4 are there and improve.openrlhf asks for 8 (4 to train + 4 engines x 1)"
    ]


def test_rows_are_chosen_by_size_and_scaled() -> None:
    rows = rates.table()
    seven = rates.rates_for(shape_of(spec()), rows)
    assert "7B" in seven.name
    assert seven.proof_tokens_per_s == pytest.approx(7200 * 6.9e9 / shape_of(spec()).parameters)


def test_rows_of_ones_own_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.yaml"
    row = rates.table()[0].model_dump(mode="json") | {"name": "mine", "proof_tokens_per_s": 9000}
    path.write_text(json.dumps([row]))
    monkeypatch.setenv(rates.VARIABLE, str(path))
    assert rates.rates_for(shape_of(spec()), rates.table()).name == "mine"
    path.write_text(json.dumps([row | {"states_per_s": 0}]))
    with pytest.raises(SpecError, match=r"mine\.yaml: 0\.states_per_s: input should be greater than 0"):
        rates.table()
    monkeypatch.setenv(rates.VARIABLE, str(tmp_path / "nowhere.yaml"))
    with pytest.raises(SpecError, match="cannot be read"):
        rates.table()


def test_a_value_model_is_reckoned_by_its_own_size_and_gpus(capsys: pytest.CaptureFixture[str]) -> None:
    (point,) = planned(capsys, "base/node8")["points"]
    told = next(cost for cost in point["costs"] if cost["name"] == "round 1: value")["arithmetic"]
    assert "1.24e+09 parameters" in told[2] and " x 8 = " in told[2]
    assert value_shape_of(spec(value__backbone="x/Llama-3.2-1B")).parameters == pytest.approx(
        1.236e9, rel=1e-3
    )
    assert value_shape_of(spec()) == shape_of(spec())


def test_a_served_model_is_reckoned_by_its_name_and_over_the_lean_that_judges_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (point,) = planned(capsys, "base/served")["points"]
    assert "7B" in point["rates"]["name"] and point["rates"]["lean"] == "mathlib"
    two = ("--set", "policy.urls=[http://a:1,http://b:1]")
    (wider,) = planned(capsys, "base/served", "--set", "lean.workers=10000", *two)["points"]
    assert "a second x 2)" in wider["costs"][0]["arithmetic"][0]
    assert named("org/Some-Prover-32B").parameters == pytest.approx(32e9, rel=0.2)


def test_lean_is_reckoned_by_the_service_and_not_by_the_models_size() -> None:
    rows = rates.table()
    small, large = rates.rates_of(changed(ONE_GPU)), rates.rates_of(spec())
    assert (small.lean, large.lean) == ("core", "core")
    assert large.proof_lean_s == small.proof_lean_s < rates.rates_for(shape_of(spec()), rows).proof_lean_s
    assert "7B" in large.name and "embedded core" in large.name


def test_what_nobody_asks_for_is_not_reckoned(capsys: pytest.CaptureFixture[str]) -> None:
    points = planned(capsys, "co-training-ablation")["points"][:4]
    names = [{cost["name"] for cost in point["costs"]} for point in points]
    assert "round 2: value" in names[0] and "round 4: grpo" in names[1]
    assert not any("value" in name or "trajectories" in name for name in names[1])
    assert "round 4: value" in names[2] and "round 4: expert_iteration" in names[3]
    assert not any("value" in name for name in names[3])


def test_problems_are_counted_by_the_manifest() -> None:
    assert estimates.problems_of(ProblemsSpec(benchmark="core-curriculum", split="test")) == 400
    assert estimates.problems_of(ProblemsSpec(benchmark="core-curriculum", split="test", limit=20)) == 20
    assert estimates.problems_of(ProblemsSpec(benchmark="kimina-promptset", split="train", limit=50)) == 50


def test_trajectories_from_whole_proofs_are_reckoned_as_proofs_and_their_replay(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (point,) = planned(capsys, "base/node8")["points"]
    cost = next(cost for cost in point["costs"] if cost["name"] == "round 1: trajectories")
    told = cost["arithmetic"]
    assert told[0] == "8 proofs of each of 5000 theorems"
    assert told[1].startswith("5000 theorems x 8 proofs x 1024 tokens / (")
    assert told[2].startswith("Lean: (40000 x 20 s + 400000 s) / 60 workers = 20000 s")
    assert told[3].startswith("Lean follows the accepted ones: 5000 x 80 tactics at most x 1 s = 400000 core")
    assert cost["lean_cpu_hours"] == pytest.approx((40000 * 20 + 400000) / 3600)


def test_collecting_whole_proofs_is_counted_once_where_only_search_and_value_differ() -> None:
    base = "rounds=2", "trajectories.samples=8", "trajectories.search.alpha=0.5"
    one, other, fewer = (
        [cost.key for cost in estimates.costs(made, rates.rates_of(made)) if "trajectories" in cost.name]
        for more in ((), ("trajectories.search.expansions=7", "value.gamma=0.9"), ("trajectories.samples=4",))
        for made in [loaded_spec(*base, *more)]
    )
    assert one == other and len(one) == 2 and not set(one) & set(fewer)


def value_cost(*settings: str) -> Any:
    made = loaded_spec(*settings)
    return next(cost for cost in estimates.costs(made, rates.rates_of(made)) if cost.name == "round 1: value")


def loaded_spec(*settings: str) -> Any:
    given = tuple(files.setting(text) for text in settings)
    return files.load(files.find("base/embedded"), Overrides(values=given))


@pytest.mark.parametrize(
    ("settings", "counted"),
    [
        ((), "400 theorems x (5 states on proofs + 0 others) x 0.9 not held out = 1800 states"),
        (
            ("value.other_states=zero", "value.oversample=3"),
            "400 theorems x (5 x 3 states on proofs + 19 others) x 0.9 not held out = 12240 states",
        ),
        (
            ("value.other_states=unprovable", "trajectories.search.expansions=40"),
            "400 theorems x (5 states on proofs + 2 others) x 0.9 not held out = 2520 states",
        ),
        (
            ("value.other_states=zero", "trajectories.samples=8", "trajectories.search.expansions=1"),
            "400 theorems x (5 states on proofs + 0 others) x 0.9 not held out = 1800 states",
        ),
    ],
)
def test_the_states_that_value_training_sees_are_those_that_it_labels(
    settings: tuple[str, ...], counted: str
) -> None:
    first, second, _ = value_cost(*settings).arithmetic
    assert first == counted
    assert second.endswith(" x 8 epochs x 44 tokens (as the rates have it)")


def test_states_are_as_long_as_statements_where_a_tokenizer_is_at_hand(tmp_path: Path) -> None:
    folder = make_causal_lm(tmp_path / "backbone")
    (length, told) = statement_tokens(loaded_spec(f"value.backbone={folder}", "value.trainer={}")) or (0, "")
    assert 20 < length < 200 and told == f"64 statements of core-curriculum by {folder}"
    assert mean_tokens(folder / "tokenizer.json", ["exact", "exact exact"]) > 1
    cost = value_cost(f"value.backbone={folder}", "value.trainer={}")
    assert f"x {length:.0f} tokens ({told})" in cost.arithmetic[1]
    short = value_cost(f"value.backbone={folder}", "value.trainer={max_tokens: 16}")
    assert "x 16 tokens" in short.arithmetic[1] and short.wall_s < cost.wall_s
    assert statement_tokens(loaded_spec()) is None, "made with the generator, later"
