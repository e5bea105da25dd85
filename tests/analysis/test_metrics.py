"""Figures against enumeration, and what is unknown stays unknown."""

import itertools
import math
import random
import statistics
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.metrics import pass_at_k, summarize
from harness.analysis.summary import scalars
from harness.errors import UserError
from harness.types import Status
from tests.making import record, ref, refs


def test_pass_at_k_is_the_chance_that_k_drawn_attempts_hold_a_proof() -> None:
    for n in range(1, 8):
        for c in range(n + 1):
            outcomes = [True] * c + [False] * (n - c)
            for k in range(1, n + 1):
                draws = list(itertools.combinations(outcomes, k))
                expected = sum(any(draw) for draw in draws) / len(draws)
                assert pass_at_k(n, c, k) == pytest.approx(expected, abs=1e-12)


def test_pass_at_k_is_undefined_beyond_n() -> None:
    assert pass_at_k(3, 3, 4) is None
    assert pass_at_k(0, 0, 1) is None


def test_the_denominator_is_the_problems_owed() -> None:
    """Two of four problems are proved and one was never attempted: no figure from three of four."""
    records = [record("p000"), record("p001"), record("p002", "rejected")]
    summary = summarize(refs(4), records, samples=1, ks=[1])
    passed = summary.passes[0]
    assert (summary.owed, summary.scored, summary.missing) == (4, 3, 1)
    assert passed.estimate.value is None and passed.undefined == 1
    assert (passed.floor, passed.ceiling) == (0.5, 0.75)
    assert passed.estimate.low is not None and passed.estimate.low <= 0.5
    assert passed.estimate.high is not None and passed.estimate.high >= 0.75
    assert passed.estimate.n == 4


def test_the_machines_failure_is_neither_success_nor_failure() -> None:
    rest = [record("p001"), record("p002", "rejected"), record("p003", "timeout")]
    with_infra = summarize(refs(4), [record("p000", "infra"), *rest], 1, [1])
    assert with_infra.unscored == 1 and with_infra.passes[0].estimate.value is None
    assert with_infra.passes[0].estimate.unscored == 1
    assert (with_infra.passes[0].floor, with_infra.passes[0].ceiling) == (0.25, 0.5)
    assert with_infra.statuses == {"infra": 1, "proved": 1, "rejected": 1, "timeout": 1}


def test_scored_attempts_count_not_requested_ones() -> None:
    """Of four samples one was lost to the machine: pass@1 and pass@2 come from three, pass@4 is undefined."""
    statuses = ["proved", "rejected", "rejected", "infra"]
    records = [record("p000", status, index=i) for i, status in enumerate(statuses)]
    one, two, four = summarize(refs(1), records, 4, [1, 2, 4]).passes
    assert one.estimate.value == pytest.approx(1 / 3)
    assert two.estimate.value == pytest.approx(2 / 3)
    assert four.estimate.value is None and four.undefined == 1
    assert (four.floor, four.ceiling) == (1.0, 1.0), "one proof among four is pass@4 whatever the fourth was"


def test_a_bound_of_an_empty_problem() -> None:
    passes = summarize(refs(1), [record("p000", "rejected", 0), record("p000", "infra", 1)], 2, [2]).passes
    assert (passes[0].floor, passes[0].ceiling) == (0.0, 1.0)


ATTEMPTS = st.lists(st.tuples(st.sampled_from(list(Status)), st.integers(1, 30)), min_size=12, max_size=12)


@settings(max_examples=20, deadline=None)
@given(ATTEMPTS, st.randoms(use_true_random=False))
def test_figures_do_not_depend_on_the_order_of_records(
    attempts: list[tuple[Status, int]], shuffle: random.Random
) -> None:
    records = [
        record(f"p{i % 4:03}", status, index=i // 4, expanded=expanded)
        for i, (status, expanded) in enumerate(attempts)
    ]
    problems = refs(4)
    mixed = list(records)
    shuffle.shuffle(mixed)
    first = summarize(problems, records, 3, [1, 3], budget=64)
    assert summarize(problems, mixed, 3, [1, 3], budget=64) == first


def test_the_interval_covers_at_about_its_level() -> None:
    """Percentile intervals over 60 problems: of 200 simulated benchmarks about 190 hold the truth."""
    rng, hits = random.Random(3), 0
    for _ in range(200):
        records = [record(f"p{i:03}", "proved" if rng.random() < 0.4 else "rejected") for i in range(60)]
        estimate = summarize(refs(60), records, 1, [1]).passes[0].estimate
        assert estimate.low is not None and estimate.high is not None
        hits += estimate.low <= 0.4 <= estimate.high
    assert 180 <= hits <= 198


def test_no_success_is_not_certainty_of_none() -> None:
    estimate = (
        summarize(refs(20), [record(f"p{i:03}", "rejected") for i in range(20)], 1, [1]).passes[0].estimate
    )
    assert (estimate.value, estimate.low) == (0.0, 0.0)
    assert estimate.high == pytest.approx(1 - 0.025 ** (1 / 20))


def test_nodes_per_proof_on_solved_problems_and_in_total() -> None:
    spent = [1, 1, 2, 40, 3]
    records = [record(f"p{i:03}", expanded=n) for i, n in enumerate(spent)]
    records.append(record("p005", "rejected", expanded=64))
    records.append(record("p006", "rejected", expanded=10))
    nodes = summarize(refs(7), records, 1, [1], budget=64).nodes
    assert nodes.mean.value == pytest.approx(statistics.mean(spent)) and nodes.mean.n == 5
    assert nodes.median.value == 2 and nodes.p90.value == 40
    assert nodes.total.value == pytest.approx((sum(spent) + 74) / 5)
    assert nodes.censored.value == pytest.approx((sum(spent) + 2 * 64) / 7)
    assert nodes.mean.low is not None and nodes.mean.high is not None
    assert nodes.mean.low < nodes.mean.value < nodes.mean.high


def test_nodes_per_proof_without_proofs_or_without_search() -> None:
    unsolved = summarize(refs(1), [record("p000", "rejected")], 1, [1]).nodes
    assert unsolved.mean.value is None and unsolved.total.value is None and unsolved.p90.value is None
    whole = summarize(refs(2), [record("p000", expanded=None), record("p001", expanded=None)], 1, [1], 64)
    assert whole.nodes.mean.value is None and whole.nodes.censored.value is None and whole.curve == ()


def test_several_samples_give_one_figure_per_solved_problem() -> None:
    records = [record("p000", expanded=2, index=0), record("p000", expanded=4, index=1)]
    records += [record("p001", expanded=9, index=0), record("p001", "rejected", expanded=20, index=1)]
    nodes = summarize(refs(2), records, 2, [1]).nodes
    assert nodes.mean.value == pytest.approx((3 + 9) / 2) and nodes.mean.n == 2
    assert nodes.total.value == pytest.approx(35 / 3)


def test_the_curve_rises_to_the_solved_share() -> None:
    records = [record("p000", expanded=1), record("p001", expanded=5), record("p002", expanded=5)]
    records.append(record("p003", "rejected", expanded=64))
    summary = summarize(refs(4), records, 1, [1])
    assert summary.curve == ((1, 0.25), (5, 0.75))
    assert summary.curve[-1][1] == summary.passes[0].estimate.value


def test_effort_is_the_sum_over_scored_attempts() -> None:
    records = [record("p000", expanded=3), record("p001", "rejected", expanded=5), record("p002", "infra")]
    effort = summarize(refs(3), records, 1, [1]).effort
    assert (effort.expansions, effort.tactic_calls, effort.invalid) == (8, 16, 2)
    assert effort.invalid_share == pytest.approx(1 / 8)
    assert effort.tactic_calls_per_proof == 16 and effort.completion_tokens == 14 and effort.verify_s == 1.0


def test_groups_by_category_and_difficulty() -> None:
    problems = [ref("a", "Nat", 1), ref("b", "Nat", 2), ref("c", "List", 2)]
    records = [record("a"), record("b", "rejected"), record("c")]
    groups = summarize(problems, records, 1, [1]).groups
    values = {(g.by, g.name): (g.solved, g.passed.estimate.value, g.passed.estimate.n) for g in groups}
    assert values == {
        ("category", "List"): (1, 1.0, 1),
        ("category", "Nat"): (1, 0.5, 2),
        ("difficulty", "1"): (1, 1.0, 1),
        ("difficulty", "2"): (1, 0.5, 2),
    }


def test_canaries_are_seen_but_never_counted() -> None:
    summary = summarize(
        [ref("a"), ref("canary_false_0", canary=True)], [record("a"), record("canary_false_0")], 1, [1]
    )
    assert (summary.problems, summary.solved, summary.canaries_proved) == (1, 1, 1)
    assert summary.passes[0].estimate.n == 1 and summary.effort.expansions == 3


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([record("q")], "not a problem of this run"),
        ([record("p000"), record("p000", "rejected")], "is there twice"),
        ([record("p000", index=1)], "beyond the 1 samples"),
    ],
)
def test_records_that_do_not_belong_are_refused(records: list, said: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(UserError, match=said):
        summarize(refs(1), records, 1, [1])


def test_k_beyond_samples_is_refused() -> None:
    with pytest.raises(UserError, match="pass@2 of 1 samples"):
        summarize(refs(1), [record("p000")], 1, [2])


def test_scalars_are_flat_names_and_numbers() -> None:
    flat = scalars(summarize(refs(2), [record("p000"), record("p001", "rejected")], 1, [1]))
    assert flat["pass_at_1"] == 0.5 and flat["pass_at_1_n"] == 2 and flat["solved"] == 1
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz_0123456789") for name in flat)
    assert all(value is None or math.isfinite(value) for value in flat.values())


def test_the_pure_part_imports_nothing_heavy() -> None:
    program = (
        "import sys, harness.analysis.metrics, harness.analysis.compare, harness.analysis.runs\n"
        "import harness.records.store, harness.records.provenance, harness.boards.ranking\n"
        "import harness.tracking.events, harness.terminal.tables, harness.experiment.cache\n"
        "print(sorted({'torch', 'wandb', 'httpx', 'transformers', 'numpy', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
