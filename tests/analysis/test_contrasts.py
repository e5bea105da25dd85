"""Which runs are compared with which, and which seeds belong together."""

from collections.abc import Sequence
from typing import Any

import pytest

from harness.analysis.compare import compare
from harness.analysis.contrasts import Contrast, contrasts
from harness.analysis.runs import RunView
from harness.commands.sweep import show_comparisons
from tests.making import record, refs, run

WARM = {"rounds": 0, "digest": "w", "warm_start": "w"}
TRAINED = {"rounds": 1, "digest": "t", "warm_start": "w"}


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
    own = {seed: {"digest": f"w{seed}", "warm_start": f"w{seed}"} for seed in (0, 1)}
    runs = [whole(f"warm{seed}", seed, {**WARM, **own[seed]}) for seed in (0, 1)]
    runs += [whole(f"trained{seed}", seed, {**TRAINED, **own[seed], "digest": f"t{seed}"}) for seed in (0, 1)]
    assert names(contrasts(runs, set())) == [("The trained", ("warm0", "warm1"), ("trained0", "trained1"))]


def test_two_ways_to_train_are_two_comparisons_with_one_warm_start() -> None:
    runs = [whole("warm", 0, WARM)]
    runs += [
        whole(method, 0, {**TRAINED, "digest": method}, improve__method=method) for method in ("grpo", "ei")
    ]
    wanted = [(("warm",), ("ei",)), (("warm",), ("grpo",))]
    for given in (runs, runs[::-1]):
        assert [found[1:] for found in names(contrasts(given, set()))] == wanted


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


def test_each_point_of_a_sweep_meets_the_partner_of_its_own_settings() -> None:
    runs = []
    for size in (96, 192):
        own = {"hidden_size": size, "warm_start": f"w{size}"}
        runs += [whole(f"warm{size}", 0, {**WARM, **own, "digest": f"w{size}"})]
        runs += [whole(f"trained{size}", 0, {**TRAINED, **own, "digest": f"t{size}"})]
    wanted = [("The trained", (f"warm{size}",), (f"trained{size}",)) for size in (192, 96)]
    assert sorted(names(contrasts(runs, set()))) == wanted
    for key, low, high in (
        ("whole_proof__temperature", 0.7, 1.0),
        ("lean__level", "fast", "strict"),
    ):
        runs = [whole(f"warm{x}", 0, WARM, **{key: x}) for x in (low, high)]
        runs += [whole(f"trained{x}", 0, TRAINED, **{key: x}) for x in (low, high)]
        wanted = [("The trained", (f"warm{x}",), (f"trained{x}",)) for x in (low, high)]
        assert names(contrasts(runs, set())) == wanted


def test_guided_searches_meet_the_baseline_of_their_own_budget_and_decoding() -> None:
    for key, values in (("search__expansions", (32, 64)), ("search__decode__width", (4, 8))):
        runs = []
        for x in values:
            value = {"gamma": 0.95, "digest": "v"}
            runs.append(view(f"guided{x}", value=value, search__alpha=0.5, **{key: x}))
            runs.append(view(f"alone{x}", value=None, search__alpha=1.0, **{key: x}))
        wanted = [("Value-guided search", (f"alone{x}",), (f"guided{x}",)) for x in values]
        assert sorted(names(contrasts(runs, set()))) == sorted(wanted)


def test_models_of_one_seed_are_never_pooled_as_seeds() -> None:
    runs = [view("alone", value=None, search__alpha=1.0)]
    for digest in ("v1", "v2"):
        runs.append(view(f"guided-{digest}", value={"gamma": 0.95, "digest": digest}))
    wanted = [("Value-guided search", ("alone",), (f"guided-{digest}",)) for digest in ("v1", "v2")]
    assert names(contrasts(runs, set())) == wanted
    titles = [item.title for item in contrasts(runs, set())]
    assert titles[0].endswith("digest=v1") and titles[1].endswith("digest=v2")


def test_one_search_under_two_names_counts_once() -> None:
    runs = [view("alone", value=None, search__alpha=1.0)]
    runs += [view(name, value={"gamma": 0.95, "digest": "v"}, evaluation__name=name) for name in ("x", "y")]
    assert contrasts(runs, {"x", "y"})[0].b == (runs[1],)
    assert len(contrasts(runs, {"x", "y"})) == 1


def test_titles_name_settings_and_never_one_of_the_pooled_seeds() -> None:
    runs = []
    for method in ("grpo", "ei"):
        for seed, name in ((0, "b"), (1, "a")):
            own = {"digest": f"{method}{seed}", "warm_start": f"w{seed}"}
            runs.append(whole(f"{name}-{method}", seed, {**TRAINED, **own}, improve__method=method))
    runs += [
        whole(f"warm{seed}", seed, {**WARM, "digest": f"w{seed}", "warm_start": f"w{seed}"})
        for seed in (0, 1)
    ]
    found = contrasts(runs, set())
    assert sorted(item.title.split(": ")[1] for item in found) == ["method=ei", "method=grpo"]
    assert [run.get("seed") for run in found[0].b] == [0, 1]


def test_a_sweep_shows_the_paired_figures_of_its_comparisons(capsys: pytest.CaptureFixture[str]) -> None:
    a, b = (run(status, [record("p000", status)], refs(1)) for status in ("rejected", "proved"))
    show_comparisons([("B against A", compare([a], [b])), ("Unlike", "other problems")])
    out = capsys.readouterr().out
    assert "Paired by problem" in out and "McNemar exact" in out and "Unlike\n  other problems" in out
