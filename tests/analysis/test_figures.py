"""Tokens and seconds, equal budgets, families of problems, and how many samples would settle it."""

import dataclasses
import itertools
import random

import pytest

from harness.analysis.compare import Comparison, compare
from harness.analysis.comparison_tables import comparison_tables
from harness.analysis.figures import Figure
from harness.analysis.power import samples_needed
from harness.analysis.runs import RunView
from harness.analysis.statistics import by_family, sign_flip, signed_ranks, wilcoxon
from harness.terminal.tables import plain_text
from harness.types import Estimate, Record, SearchStats, Usage
from tests.making import record, ref, refs, run, session


def spent(name: str, status: str, expanded: int, tokens: int, seconds: float, index: int = 0) -> Record:
    """A search of whose seconds policy, value model, Lean and the last check had a quarter each."""
    part = seconds / 4
    found = record(name, status, index=index)
    search = SearchStats(expanded=expanded, policy_s=part, value_s=part, lean_s=part)
    attempt = dataclasses.replace(found.attempt, usage=Usage(5, tokens), search=search)
    return dataclasses.replace(
        found, attempt=attempt, verdict=dataclasses.replace(found.verdict, seconds=part)
    )


def view(name: str, rows: list[tuple[str, int, int, float]], **more: object) -> RunView:
    records = [spent(f"p{i:03}", *row) for i, row in enumerate(rows)]
    return run(name, records, refs(len(rows)), **more)  # type: ignore[arg-type]


def figure(found: Comparison, name: str) -> Figure:
    return next(one for one in found.figures if one.name == name)


A = [("proved", 4, 100, 2.0), ("proved", 8, 300, 4.0), ("proved", 2, 40, 1.0), ("rejected", 64, 900, 9.0)]
B = [("proved", 2, 50, 4.0), ("proved", 4, 150, 8.0), ("proved", 1, 20, 2.0), ("proved", 32, 500, 8.0)]


def test_tokens_and_seconds_of_what_both_prove_and_of_everything() -> None:
    found = compare([view("a", A)], [view("b", B)])
    tokens = figure(found, "tokens per proof, jointly solved")
    assert (tokens.estimate.n, tokens.estimate.value) == (3, 0.5) and tokens.p == 0.25
    paid = figure(found, "tokens per proof, failures paid")
    assert (paid.a, paid.b) == (pytest.approx(1340 / 3), pytest.approx(720 / 4))
    seconds = figure(found, "seconds per proof, failures paid")
    assert (seconds.a, seconds.b) == (pytest.approx(16 / 3), pytest.approx(22 / 4)), "the value model is paid"


BESIDE = [{**session(), "beside": ["b"]}]


def test_seconds_are_held_together_only_where_runs_were_made_in_turn() -> None:
    name = "seconds per proof, jointly solved"
    found = compare([view("a", A)], [view("b", B)])
    apart = figure(found, name)
    assert apart.p is None and apart.test == "none: not made in turn" and apart.verdict(0.02) is None
    assert apart.b == pytest.approx(2 * apart.a) and apart.estimate == Estimate(None, n=3)
    assert figure(found, "seconds per proof, failures paid").estimate.value is None
    assert "seconds" not in {row.measure for row in found.equal}
    assert "seconds are held together only of runs made in turn" in plain_text(comparison_tables(found))
    together = figure(compare([view("a", A, sessions=BESIDE)], [view("b", B)]), name)
    assert together.p == 0.25 and together.test == "Wilcoxon signed-rank"
    assert together.estimate.value == pytest.approx(2)
    own = {"sessions": BESIDE, "changes": {"generator.digest": "g"}}
    shared = [view(name, rows, **own) for name, rows in (("a", A), ("b", B))]
    assert figure(compare(shared[:1], shared[1:]), name).test == "none: one generator remembers"


def test_equal_budgets_count_what_a_proof_took() -> None:
    sides = [view("a", A, sessions=BESIDE)], [view("b", B)]
    found = {(row.measure, row.budget): row for row in compare(*sides).equal}
    assert [key for key in found if key[0] == "expansions"] == [("expansions", b) for b in (4, 8, 16, 32)]
    four = found["expansions", 4.0]
    assert (four.a, four.b, four.difference.value) == (0.5, 0.75, 0.25)
    assert (four.sooner_a, four.sooner_b) == (0, 0)
    tokens = found["tokens", 512.0]
    assert (tokens.a, tokens.b) == (0.75, 1.0)
    # Within four seconds A, whose value model is quick, solves more, though B needs half of the nodes.
    seconds = found["seconds", 4.0]
    assert (seconds.a, seconds.b) == (0.75, 0.5)


def test_failures_that_ended_before_the_budget_are_told() -> None:
    a = view("a", [("proved", 16, 9, 1.0), ("rejected", 3, 9, 1.0)])
    found = compare([a], [view("b", [("proved", 16, 9, 1.0), ("rejected", 64, 9, 1.0)])])
    last = [row for row in found.equal if row.measure == "expansions"][-1]
    assert (last.budget, last.sooner_a, last.sooner_b) == (16, 0.5, 0.0)


def families(name: str, marks: str, size: int, expanded: list[int] | None = None) -> RunView:
    problems = [dataclasses.replace(ref(f"p{i:03}"), family=f"f{i // size}") for i in range(len(marks))]
    words = {"+": "proved", "-": "rejected"}
    records = [
        record(f"p{i:03}", words[mark], expanded=3 if expanded is None else expanded[i])
        for i, mark in enumerate(marks)
    ]
    return run(name, records, problems)


def test_families_are_the_units_of_chance_and_said_to_be() -> None:
    """Twenty problems differ, all for B: beyond doubt, unless they are two families of ten."""
    single = compare([families("a", "-" * 20 + "+" * 20, 1)], [families("b", "+" * 40, 1)])
    grouped = compare([families("a", "-" * 20 + "+" * 20, 10)], [families("b", "+" * 40, 10)])
    plain, clustered = figure(single, "pass@1"), figure(grouped, "pass@1")
    assert single.families == 0 and plain.test == "McNemar exact" and plain.p == pytest.approx(2**-19)
    assert grouped.families == 4 and clustered.test == "sign-flip of families" and clustered.p == 0.5
    assert plain.estimate.value == clustered.estimate.value == 0.5
    assert plain.estimate.low is not None and plain.estimate.low > 0.2
    assert clustered.estimate.low is not None and clustered.estimate.low < 0
    assert "whose 4 families are the units of chance" in plain_text(comparison_tables(grouped))


def test_ranks_are_flipped_by_family() -> None:
    spent_a, spent_b = [9, 8, 7, 6, 5, 4], [1, 2, 3, 5, 6, 3]
    found = compare([families("a", "+" * 6, 2, spent_a)], [families("b", "+" * 6, 2, spent_b)])
    nodes = figure(found, "nodes per proof, jointly solved")
    ranks = signed_ranks([b - a for a, b in zip(spent_a, spent_b, strict=True)])
    totals = [ranks[0] + ranks[1], ranks[2] + ranks[3], ranks[4] + ranks[5]]
    hits = [
        abs(sum(s * t for s, t in zip(signs, totals, strict=True))) >= abs(sum(totals)) - 1e-9
        for signs in itertools.product((1, -1), repeat=3)
    ]
    assert nodes.p == pytest.approx(sum(hits) / 8) and nodes.test == "signed ranks, families flipped"


def test_signed_ranks_flipped_one_by_one_are_wilcoxon() -> None:
    differences = [-3.0, 1.0, 1.0, 4.0, -2.0, 5.0, 0.0, 7.0]
    assert sign_flip(signed_ranks(differences)) == pytest.approx(wilcoxon(differences))
    assert signed_ranks([0.0, 2.0, -2.0, 5.0]) == [0.0, 1.5, -1.5, 3.0] and signed_ranks([0.0]) == [0.0]
    assert by_family([1.0, 2.0, 4.0], ["x", "y", "x"]) == [5.0, 2.0]


def test_samples_needed_reach_the_promised_power() -> None:
    """Problems that differ by luck alone: more samples of them settle it, about four times in five."""
    rng = random.Random(1)

    def study(samples: int) -> tuple[list[float], list[float]]:
        differences, luck = [], []
        for _ in range(60):
            a, b = (sum(rng.random() < p for _ in range(samples)) / samples for p in (0.4, 0.5))
            differences.append(b - a)
            luck.append((a * (1 - a) + b * (1 - b)) / (samples - 1))
        return differences, luck

    pooled = [study(4) for _ in range(40)]
    differences = [d for found, _ in pooled for d in found]
    luck = [v for _, found in pooled for v in found]
    # Of the size of one study: the estimates of forty are nearly the truth.
    more = samples_needed(differences[:60], [sum(luck) / len(luck)] * 60, 4)
    truth = (0.4 * 0.6 + 0.5 * 0.5) * (1.96 + 0.8416) ** 2 / (60 * 0.1**2)
    assert more is None or more > 0
    exact = samples_needed([0.1] * 30 + [0.1] * 30, [0.49 / 4] * 60, 4)
    assert exact == pytest.approx(truth - 4, abs=1)
    assert samples_needed([1.0, -1.0, 0.5], [0.0] * 3, 4) is None, "no luck in it: samples change nothing"
    assert samples_needed([0.5, 0.1], [float("nan")] * 2, 1) is None
    wins = sum(sign_flip(study(round(truth))[0], seed=number) < 0.05 for number in range(60))
    assert 0.65 <= wins / 60 <= 0.95


def test_an_undecided_pass_rate_says_how_many_samples_too() -> None:
    def sampled(name: str, counts: list[int]) -> RunView:
        records = [
            record(f"p{i:03}", "proved" if j < c else "rejected", index=j)
            for i, c in enumerate(counts)
            for j in range(8)
        ]
        return run(name, records, refs(len(counts)), {"evaluation.samples": 8})

    found = compare([sampled("a", [3, 4, 5, 4, 3, 4] * 2)], [sampled("b", [4, 5, 3, 5, 4, 5] * 2)])
    passed = figure(found, "pass@1")
    assert passed.more and passed.more_samples
    assert f"+{passed.more_samples} samples" in plain_text(comparison_tables(found))


def test_what_cannot_be_computed_is_a_dash() -> None:
    nothing = [("rejected", 64, 900, 9.0)] * 3
    text = plain_text(comparison_tables(compare([view("a", nothing)], [view("b", nothing)])))
    paid = next(line for line in text.splitlines() if "tokens per proof, failures paid" in line)
    assert paid.split()[5:9] == ["-"] * 4
