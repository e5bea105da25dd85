"""Which runs are compared with which, and which seeds belong together."""

from collections.abc import Sequence
from typing import Any

from harness.contrasts import Contrast, contrasts
from harness.runs import RunView
from tests.making import refs, run

WARM, TRAINED = {"rounds": 0, "digest": "w"}, {"rounds": 1, "digest": "t"}


def view(name: str, seed: int = 0, **changes: Any) -> RunView:
    given = {key.replace("__", "."): value for key, value in changes.items()}
    return run(name, [], refs(1), {"generator": TRAINED, "seed": seed, **given})


def names(found: Sequence[Contrast]) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    return [
        (item.title.split()[0] + " " + item.title.split()[1], named(item.a), named(item.b)) for item in found
    ]


def named(runs: Sequence[RunView]) -> tuple[str, ...]:
    return tuple(run.name for run in runs)


def whole(name: str, seed: int, generator: dict[str, Any], **changes: Any) -> RunView:
    return view(name, seed, generator=generator, evaluation__prover="whole_proof", value=None, **changes)


def test_a_trained_generator_meets_its_own_warm_start_and_seeds_are_pooled() -> None:
    runs = [whole(f"warm{seed}", seed, {**WARM, "digest": f"w{seed}"}) for seed in (0, 1)]
    runs += [whole(f"trained{seed}", seed, {**TRAINED, "digest": f"t{seed}"}) for seed in (0, 1)]
    assert names(contrasts(runs, set())) == [("The trained", ("warm0", "warm1"), ("trained0", "trained1"))]


def test_two_ways_to_train_are_two_comparisons_with_one_warm_start() -> None:
    runs = [whole("warm", 0, WARM)]
    runs += [
        whole(method, 0, {**TRAINED, "digest": method}, improve__method=method) for method in ("grpo", "ei")
    ]
    assert [found[1:] for found in names(contrasts(runs, set()))] == [
        (("warm",), ("grpo",)),
        (("warm",), ("ei",)),
    ]


def test_runs_over_other_problems_samples_or_provers_are_not_compared() -> None:
    trained = whole("trained", 0, TRAINED)
    for changes in (
        {"evaluation__samples": 8},
        {"evaluation__prover": "best_first"},
        {"evaluation__problems__split": "valid"},
        {"seed": 3},
    ):
        data = {"generator": WARM, "evaluation__prover": "whole_proof", "value": None, **changes}
        assert contrasts([trained, view("other", **data)], set()) == [], changes


def test_the_chosen_alpha_of_each_seed_meets_log_probability_of_the_same_generator() -> None:
    runs = []
    for seed, alpha in ((0, 0.25), (1, 0.5)):
        trained = {**TRAINED, "digest": f"t{seed}"}
        value = {"gamma": 0.95, "digest": f"v{seed}"}
        runs += [
            view(f"chosen{seed}", seed, generator=trained, value=value, search__alpha=alpha),
            view(f"other{seed}", seed, generator=trained, value=value, search__alpha=0.0),
            view(f"alone{seed}", seed, generator=trained, value=None, search__alpha=1.0),
        ]
    found = contrasts(runs, {"chosen0", "chosen1"})
    assert names(found) == [("Value-guided search", ("alone0", "alone1"), ("chosen0", "chosen1"))]
    assert contrasts(runs, set()) == [], "no choice was made among the alphas"


def test_the_only_alpha_needs_no_choice() -> None:
    runs = [view("guided", value={"gamma": gamma, "digest": str(gamma)}) for gamma in (0.9, 0.95)]
    runs.append(view("alone", value=None, search__alpha=1.0))
    assert [found.title.split()[0] for found in contrasts(runs, set())] == ["Value-guided"] * 2
    assert [found.title.split(": ")[1] for found in contrasts(runs, set())] == ["gamma=0.9", "gamma=0.95"]
