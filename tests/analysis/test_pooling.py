"""Pooled seeds agree with single runs, and intervals with textbook values."""

import pytest

from harness.analysis.metrics import summarize
from harness.analysis.pooling import pool
from harness.analysis.statistics import flip_tail, sign_flip
from harness.analysis.summary import Summary
from tests.making import record, refs


def summary(marks: str, expanded: int = 3) -> Summary:
    words = {"+": "proved", "-": "rejected"}
    records = [record(f"p{i:03}", words[mark], expanded=expanded + i) for i, mark in enumerate(marks)]
    return summarize(refs(len(marks)), records, 1, [1], budget=64)


def test_twins_pool_into_the_figures_of_one() -> None:
    one = summary("++--+-+-")
    both = pool([one, one], 64)
    assert (both.solved, both.proofs, both.owed) == (one.solved, 2 * one.proofs, 2 * one.owed)
    assert both.passes[0].estimate.value == one.passes[0].estimate.value
    for figure in ("mean", "median", "p90", "total", "censored"):
        theirs, ours = getattr(one.nodes, figure).value, getattr(both.nodes, figure).value
        assert ours == pytest.approx(theirs), figure
    assert both.passes[0].estimate.n == 8
    assert [(x, pytest.approx(y)) for x, y in one.curve] == list(both.curve)
    assert pool([one], 64) is one


def test_problems_are_averaged_over_seeds_first() -> None:
    both = pool([summary("++--"), summary("+-+-")], 64)
    assert both.passes[0].estimate.value == 0.5
    assert both.outcomes.proved == (2, 1, 1, 0) and both.outcomes.scored == (2, 2, 2, 2)


def test_the_normal_tail_of_flips_agrees_with_flipping() -> None:
    differences = [((7 * i) % 11 - 4) / 10 for i in range(60)]
    assert flip_tail(differences) == pytest.approx(sign_flip(differences), abs=0.01)
