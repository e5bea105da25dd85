"""Names of runs are those that a person would give."""

from typing import Any

from harness.analysis.naming import names
from tests.making import spec


def called(*changes: dict[str, Any]) -> list[str]:
    return names([spec(**one) for one in changes], [1] * len(changes))


TRAINED: dict[str, Any] = {
    "generator": {"digest": "g", "steps": 9, "rounds": 1},
    "improve": {"method": "grpo"},
    "grpo": {"kl": 0.0, "samples": 8},
}


def test_a_run_is_called_by_alpha_training_and_seed() -> None:
    assert called({**TRAINED, "search.alpha": 0.25}) == ["alpha 0.25, GRPO kl 0, seed 0"]
    assert called({"generator": {"digest": "g", "steps": 9, "rounds": 0}}) == [
        "alpha 0.5, warm start, seed 0"
    ]
    asked = {"digest": "g", "warm_start": "g", "rounds": 0, "prompt": "stp", "served": "vllm"}
    assert called({"generator": asked}) == ["alpha 0.5, as given, seed 0"]
    assert called({"evaluation.prover": "portfolio"}) == ["portfolio, seed 0"]
    assert called({**TRAINED, "improve": {"method": "expert_iteration"}}) == [
        "alpha 0.5, expert iteration, seed 0"
    ]


def test_what_sets_runs_apart_is_said_in_words() -> None:
    found = called(
        {**TRAINED, "evaluation.samples": 1}, {**TRAINED, "evaluation.samples": 8, "value.gamma": 0.9}
    )
    assert found == [
        "alpha 0.5, GRPO kl 0, 1 sample, gamma 0.95, seed 0",
        "alpha 0.5, GRPO kl 0, 8 samples, gamma 0.9, seed 0",
    ]
    rates = [{**TRAINED, "grpo": {"kl": 0.0, "learning_rate": rate}} for rate in (1e-5, 1e-6)]
    assert called(*rates)[1] == "alpha 0.5, GRPO kl 0, GRPO learning rate 1e-06, seed 0"


def test_rounds_are_told_where_there_are_several() -> None:
    trained = [{**TRAINED, "generator": {**TRAINED["generator"], "rounds": n}} for n in (0, 1, 2)]
    trained[0] = {"generator": trained[0]["generator"]}
    after = "alpha 0.5, GRPO kl 0"
    assert called(*trained[:2]) == ["alpha 0.5, warm start, seed 0", f"{after}, seed 0"]
    assert called(*trained)[1:] == [f"{after}, round 1, seed 0", f"{after}, round 2, seed 0"]


def test_a_digest_is_told_only_where_nothing_else_tells() -> None:
    seeds = [{**TRAINED, "generator": {**TRAINED["generator"], "digest": f"g{s}"}, "seed": s} for s in (0, 1)]
    assert called(*seeds) == ["alpha 0.5, GRPO kl 0, seed 0", "alpha 0.5, GRPO kl 0, seed 1"]
    alike = [{**one, "seed": 0} for one in seeds]
    assert called(*alike) == [f"alpha 0.5, GRPO kl 0, seed 0, generator g{s}" for s in (0, 1)]
    splits = [{**TRAINED, "evaluation.problems.split": split} for split in ("valid", "test")]
    assert called(*splits) == ["alpha 0.5, GRPO kl 0, seed 0"] * 2
    experiments = [{**TRAINED, "experiment": name} for name in ("one", "two")]
    assert called(*experiments) == [f"alpha 0.5, GRPO kl 0, seed 0, {name}" for name in ("one", "two")]
