"""Settings that vary together have a name, and evaluations a round."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import SpecError
from harness.experiment import files
from harness.experiment.evaluation import evaluations
from harness.experiment.files import Overrides, Setting
from harness.experiment.plan import plan
from harness.experiment.sweep import points, read_sweep

POINT: dict[str, Any] = {
    "base": "embedded",
    "variant": "two",
    "variants": {
        "one": {"rounds": 1},
        "two": {"rounds": 2, "search.alpha": 0.5, "evaluations.late.samples": 1},
    },
    "evaluations": [
        {
            "name": name,
            "prover": "best_first",
            "problems": {"benchmark": "smoke", "split": "test"},
            **({"round": 1} if name == "early" else {}),
        }
        for name in ("early", "late")
    ],
}


def test_the_variant_is_laid_over_the_files_own_and_the_command_line_over_it() -> None:
    spec = files.resolve(POINT, "point")
    assert (spec.rounds, spec.search.alpha) == (2, 0.5)
    asked = Overrides(None, (Setting("search.alpha", 0.75, "--set search.alpha=0.75"),))
    assert files.resolve(POINT, "point", asked).search.alpha == 0.75


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"variant": "twoo"}, r"variant: no 'twoo' among variants; did you mean 'two'\?"),
        ({"variant": None}, "variant: no None among variants"),
        ({"variants": {"two": 3}}, "variants: must map names to settings"),
        ({"rounds": 3}, r"variants\.two\.rounds: is also set outside the variants; keep one"),
        ({"search": {"alpha": 1.0}}, r"variants\.two\.search\.alpha: is also set outside"),
    ],
)
def test_what_is_wrong_with_a_variant_is_told(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=told):
        files.resolve(POINT | changes, "point")


def test_an_evaluation_after_a_round_asks_the_models_of_that_round() -> None:
    made = plan(files.resolve(POINT, "point"))
    early, late = evaluations(made)
    first, last = made.rounds
    assert early.generator == first.result and late.generator == last.result
    assert early.value is not None and early.value.stage == first.value
    assert late.value is not None and late.value.stage == last.value
    assert early.run_spec["generator"]["rounds"] == 1 and late.run_spec["generator"]["rounds"] == 2


def test_after_the_last_round_is_the_same_run_said_or_not() -> None:
    said = plan(files.resolve(POINT | {"variant": "one"}, "point"))
    early, late = evaluations(said)
    assert early.run_spec["generator"] == late.run_spec["generator"]
    named = [item.run_spec["evaluation"] | {"name": ""} for item in (early, late)]
    assert named[0] == named[1]


def test_a_round_that_there_is_not_and_one_before_all_are_refused() -> None:
    asked = [{**POINT["evaluations"][0], "round": 3}]
    with pytest.raises(SpecError, match="'early' is after round 3 of 2"):
        files.resolve({**POINT, "evaluations": asked, "variants": {"two": {"rounds": 2}}}, "point")
    asked = [{**POINT["evaluations"][0], "generator": "warm_start"}]
    with pytest.raises(SpecError, match="the warm start is before every round"):
        files.resolve({**POINT, "evaluations": asked, "variants": {"two": {"rounds": 2}}}, "point")


def test_the_four_ways_of_the_ablation_spend_four_phases_each() -> None:
    sweep = read_sweep(files.find("co-training-ablation"))
    found = {spec.name: spec for spec in (files.resolve(point, "p") for point in points(sweep))}
    assert len(points(sweep)) == 12 and len(found) == 4
    for name, spec in found.items():
        made = plan(spec)
        asked = [model for item in evaluations(made) for model in (item.generator, item.value) if model]
        kinds = [key.stage for _, key in made.needed(asked)]
        phases = kinds.count("trajectories") + kinds.count("grpo")
        assert phases == 4, name
        assert ("value" in kinds) == (name in ("co-training", "value-only")), name
        assert ("expert_iteration" in kinds) == (name == "expert-iteration"), name
