"""A against B: alignment, refusal, and figures that can be checked by hand."""

import random

import pytest

from harness.analysis.compare import Comparison, adjust, compare, headline
from harness.analysis.figures import Figure
from harness.analysis.runs import RunView
from harness.errors import UserError
from harness.types import Record
from tests.making import record, ref, refs, run


def outcomes(statuses: str, expanded: list[int] | None = None) -> list[Record]:
    """`+` proved, `-` rejected, `?` infra, for p000, p001, ..."""
    words = {"+": "proved", "-": "rejected", "?": "infra"}
    return [
        record(f"p{i:03}", words[mark], expanded=3 if expanded is None else expanded[i])
        for i, mark in enumerate(statuses)
    ]


def view(name: str, statuses: str, expanded: list[int] | None = None, **changes: object) -> RunView:
    spec = {key.replace("__", "."): value for key, value in changes.items()}
    return run(name, outcomes(statuses, expanded), refs(len(statuses)), spec)


def figure(comparison: Comparison, name: str) -> Figure:
    return next(one for one in comparison.figures if one.name.startswith(name))


def test_identical_runs_do_not_differ() -> None:
    found = compare([view("a", "++--")], [view("b", "++--")])
    assert (len(found.both), found.only_a, found.only_b, len(found.neither)) == (2, (), (), 2)
    passed = figure(found, "pass@1")
    assert passed.estimate.value == 0 and passed.p == 1.0
    assert passed.estimate.high == pytest.approx(1 - 0.025 ** (1 / 4)), "four problems prove little"
    assert figure(found, "nodes").estimate.value == 1.0 and figure(found, "nodes").p is None


def test_known_discordant_counts_give_the_textbook_p() -> None:
    """Two problems only A solves, eight only B solves: McNemar exact 0.109375."""
    found = compare([view("a", "+" * 5 + "+" * 2 + "-" * 8)], [view("b", "+" * 5 + "-" * 2 + "+" * 8)])
    assert found.only_a == ("p005", "p006") and len(found.only_b) == 8
    passed = figure(found, "pass@1")
    assert (passed.a, passed.b) == (pytest.approx(7 / 15), pytest.approx(13 / 15))
    assert passed.estimate.value == pytest.approx(6 / 15)
    assert passed.p == pytest.approx(0.109375) and passed.test == "McNemar exact"
    assert passed.more is not None and passed.more >= 1


def test_the_machines_failures_leave_a_pair_out_by_name() -> None:
    found = compare([view("a", "+?+-")], [view("b", "++?-")])
    assert found.unscored == ("p001", "p002") and found.both == ("p000",)
    assert figure(found, "pass@1").estimate.n == 2


def test_nodes_are_compared_where_both_proved() -> None:
    a, b = view("a", "+++-", [10, 20, 64, 64]), view("b", "++-+", [4, 11, 64, 2])
    nodes = figure(compare([a], [b]), "nodes")
    assert (nodes.a, nodes.b, nodes.estimate.value, nodes.estimate.n) == (15, 7.5, 0.5, 2)
    assert nodes.estimate.low is not None and nodes.estimate.high is not None
    assert nodes.estimate.low < 0.1 and nodes.estimate.high > 3, "two problems bound next to nothing"
    assert nodes.p == 0.5


def test_unproved_counts_as_the_budget_and_failures_are_paid() -> None:
    a, b = view("a", "+-", [10, 7]), view("b", "+-", [4, 7])
    found = compare([a], [b])
    censored = figure(found, "mean expansions")
    assert (censored.a, censored.b, censored.estimate.value) == (37, 34, -3)
    cost = figure(found, "expansions per proof")
    assert (cost.a, cost.b) == (17, 11) and cost.estimate.value == pytest.approx(11 / 17)


def test_unlike_runs_are_refused_and_the_difference_named() -> None:
    a = view("a", "++")
    for other, said in [
        (view("b", "+++"), r"problems differ: 2 against 3, 1 only in b \(p002\)"),
        (view("b", "++", search__expansions=128), "expansions differs: 64 in a, 128 in b"),
        (view("b", "++", search__tactic_calls=9), "tactic calls differs"),
        (view("b", "++", lean__level="fast"), "level differs: strict in a, fast in b"),
        (run("b", [record("p000", tier="repl-checked")], refs(2)), "tier differs: kernel in a, repl-checked"),
    ]:
        with pytest.raises(UserError, match=said):
            compare([a], [other])


def test_a_revised_problem_is_another_problem() -> None:
    theirs = [ref("p000"), ref("p001").__class__("p001", "newer")]
    other = run("b", [record("p000")], theirs)
    with pytest.raises(UserError, match=r"1 at another revision \(p001\)"):
        compare([view("a", "++")], [other])
    found = compare([view("a", "++")], [other], force=True)
    assert found.problems == 1 and found.both == ("p000",) and len(found.warnings) == 1


def test_nothing_in_common_is_refused_even_by_force() -> None:
    with pytest.raises(UserError, match="no problem at the same revision"):
        compare([view("a", "+")], [run("b", [record("q")], [ref("q")])], force=True)
    with pytest.raises(UserError, match="at least one run"):
        compare([], [view("b", "+")])


def test_a_run_without_proofs_has_no_tier_to_differ_in() -> None:
    assert compare([view("a", "++")], [view("b", "--")]).only_a == ("p000", "p001")


def test_seeds_are_pooled_by_problem() -> None:
    """Three seeds of 20 problems are 20 pairs: copying a run three times changes no interval."""
    rng = random.Random(0)
    a = "".join(rng.choice("+-") for _ in range(20))
    b = "".join(rng.choice("++-") for _ in range(20))
    one = compare([view("a", a)], [view("b", b)])
    three = compare(
        [view(f"a{s}", a, seed=s) for s in range(3)], [view(f"b{s}", b, seed=s) for s in range(3)]
    )
    single, pooled = figure(one, "pass@1"), figure(three, "pass@1")
    assert pooled.estimate == single.estimate and pooled.estimate.n == 20
    assert pooled.test == "sign-flip permutation" and pooled.p == pytest.approx(single.p)
    assert [pair[:2] for pair in three.seeds] == [("a0", "b0"), ("a1", "b1"), ("a2", "b2")]
    assert [pair[2] for pair in three.seeds] == [single.estimate.value] * 3


def test_unlike_numbers_of_runs_are_refused_and_by_force_not_tested_by_ranks() -> None:
    a = [view(f"a{seed}", "++++", [1, 9, 3, 50], seed=seed) for seed in range(3)]
    b = [view("b", "++++", [2, 3, 4, 5])]
    with pytest.raises(UserError, match="numbers of runs differ: 3 against 1"):
        compare(a, b)
    found = compare(a, b, force=True)
    assert figure(found, "nodes").p is None and figure(found, "nodes").estimate.value is not None
    assert found.warnings == ("numbers of runs differ: 3 against 1",)


def test_what_is_pooled_and_how_lean_was_asked_is_said() -> None:
    same = [view(name, "+-", generator__digest=name) for name in ("v1", "v2")]
    other = [view(f"b{seed}", "+-", seed=seed, lean__heartbeats=9) for seed in (1, 2)]
    first, second, third = compare(same, other).warnings
    assert first.startswith("lean.heartbeats differs: 9, None")
    assert second == "side A pools 2 runs that differ in more than the seed: digest"
    assert third == "seeds differ, paired in order: 0, 0 against 1, 2"


def test_problems_still_needed_are_counted_in_problems_of_the_benchmark() -> None:
    """Half of the problems give a pair, so twice as many problems are needed as pairs."""
    a, b = [10, 12, 9, 14, 8, 11, 13, 10], [9, 14, 8, 13, 9, 10, 14, 8]
    every = figure(compare([view("a", "+" * 8, a)], [view("b", "+" * 8, b)]), "nodes")
    half = compare([view("a", "+" * 8 + "-" * 8, a + [64] * 8)], [view("b", "+" * 8 + "-" * 8, b + [64] * 8)])
    assert every.more is not None and figure(half, "nodes").more == 2 * every.more


def test_a_side_that_proves_more_often_does_not_look_slower() -> None:
    """A proves the problem under both seeds (2 and 50 nodes), B only under the first (2): no difference."""
    a = [view("a0", "+", [2], seed=0), view("a1", "+", [50], seed=1)]
    b = [view("b0", "+", [2], seed=0), view("b1", "-", [64], seed=1)]
    nodes = figure(compare(a, b), "nodes")
    assert (nodes.a, nodes.b, nodes.estimate.value) == (2, 2, 1)


def test_pass_at_k_over_samples() -> None:
    def sampled(name: str, counts: list[int]) -> RunView:
        records = [
            record(f"p{i:03}", "proved" if j < c else "rejected", index=j)
            for i, c in enumerate(counts)
            for j in range(4)
        ]
        return run(name, records, refs(len(counts)), {"evaluation.samples": 4, "evaluation.k": [1, 4]})

    found = compare([sampled("a", [0, 2])], [sampled("b", [1, 4])])
    one, four = figure(found, "pass@1"), figure(found, "pass@4")
    assert (one.a, one.b, one.estimate.value) == (0.25, 0.625, 0.375)
    assert (four.a, four.b, four.test) == (0.5, 1.0, "sign-flip permutation")
    assert found.only_b == ("p000",) and found.both == ("p001",)


def test_whole_proof_runs_have_no_node_figures() -> None:
    records = [record("p000", expanded=None)]
    changes = {"evaluation.prover": "whole_proof", "whole_proof.max_new_tokens": 128}
    found = compare([run("a", records, refs(1), changes)], [run("b", records, refs(1), changes)])
    told = ["pass@1", "tokens per proof, jointly solved", "tokens per proof, failures paid"]
    assert [one.name for one in found.figures] == told


def test_the_interval_of_a_difference_covers_at_about_its_level() -> None:
    rng, hits = random.Random(8), 0
    for _ in range(100):
        a = "".join("+" if rng.random() < 0.5 else "-" for _ in range(80))
        b = "".join("+" if mark == "+" or rng.random() < 0.4 else "-" for mark in a)
        found = figure(compare([view("a", a)], [view("b", b)]), "pass@1").estimate
        assert found.low is not None and found.high is not None
        hits += found.low <= 0.2 <= found.high
    assert 89 <= hits <= 100


def test_categories_are_counted_over_what_both_were_scored_on() -> None:
    kinds = ["nat", "list", "nat", "", "list", "nat"]
    problems = [ref(f"p{i:03}", kind) for i, kind in enumerate(kinds)]
    a, b = (run(name, outcomes(marks), problems) for name, marks in (("a", "++--+?"), ("b", "-+++-+")))
    found = compare([a], [b])
    assert [(row.name, row.n, row.a, row.b, row.difference) for row in found.categories] == [
        ("", 1, 0, 1, 1),
        ("list", 2, 2, 1, -1),
        ("nat", 2, 1, 1, 0),
    ]
    assert sum(row.a for row in found.categories) == len(found.both) + len(found.only_a)
    assert sum(row.b for row in found.categories) == len(found.both) + len(found.only_b)
    assert found.unscored == ("p005",)


def test_one_category_is_no_breakdown() -> None:
    problems = [ref("p000", "nat"), ref("p001", "nat")]
    found = compare([run("a", outcomes("+-"), problems)], [run("b", outcomes("++"), problems)])
    assert found.categories == ()


def test_the_verdict_goes_by_the_adjusted_p_and_says_better_or_worse() -> None:
    a, b = view("a", "-" * 10 + "+" * 10), view("b", "+" * 20)
    (alone,) = adjust([compare([a], [b])])
    passed = figure(alone, "pass@1")
    assert passed.p is not None and passed.adjusted is not None and passed.adjusted >= passed.p
    assert passed.verdict() == "better" and headline(alone).startswith("B proves more (pass@1 +50.0 points)")
    (back,) = adjust([compare([b], [a])])
    assert figure(back, "pass@1").verdict() == "worse"
    # Among many others the same difference of six is no longer told from chance.
    few = compare([view("a", "-" * 6 + "+" * 14)], [view("b", "+" * 20)])
    assert figure(adjust([few])[0], "pass@1").p == pytest.approx(0.03125)
    crowded = adjust([few, *[compare([a], [a])] * 10])[0]
    assert figure(crowded, "pass@1").verdict() == "undecided"


def test_a_whole_interval_inside_the_margin_is_equivalent() -> None:
    marks = "+-" * 150
    (same,) = adjust([compare([view("a", marks)], [view("b", marks)])])
    passed = figure(same, "pass@1")
    assert passed.verdict() == "undecided" and passed.verdict(0.02) == "equivalent"
    assert passed.verdict(0.005) == "undecided"
    assert "proves as many" in headline(same, 0.02)


def test_one_difference_is_told_once() -> None:
    searched = [view(f"a{n}", "++--", seed=n) for n in (0, 1)]
    sampled = [
        view(f"b{n}", "++--", seed=n, evaluation__prover="whole_proof", whole_proof__max_new_tokens=64)
        for n in (0, 1)
    ]
    with pytest.raises(UserError) as caught:
        compare(searched, sampled)
    assert str(caught.value).count("differ") == 1 and "budget differs: 1 x 64 expansions" in str(caught.value)
    fewer = [view(f"b{n}", "++-", seed=n) for n in (0, 1)]
    with pytest.raises(UserError) as caught:
        compare(searched, fewer)
    assert str(caught.value).count("differ") == 1 and "problems differ: 4 against 3" in str(caught.value)
