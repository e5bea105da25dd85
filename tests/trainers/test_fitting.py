"""Schedule, batches and padding."""

from __future__ import annotations

import itertools

import pytest

from trainers import fitting
from trainers.fitting import Schedule


def test_the_rate_warms_up_and_decays_to_zero() -> None:
    plan = Schedule(steps=200, batch_size=1, learning_rate=1.0, warmup_steps=10)
    rates = [plan.rate(step) for step in range(200)]
    assert rates[:10] == pytest.approx([0.1 * n for n in range(1, 11)])
    assert max(rates) == rates[10] == 1.0 and rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[105] == pytest.approx(0.5) and rates[-1] < 1e-3


def test_a_short_plan_still_reaches_its_rate() -> None:
    plan = Schedule(steps=5, batch_size=1, learning_rate=2.0, warmup_steps=50)
    assert max(plan.rate(step) for step in range(5)) == 2.0


@pytest.mark.parametrize(("count", "size"), [(1, 4), (10, 4), (257, 8)])
def test_an_epoch_holds_every_index_once(count: int, size: int) -> None:
    lengths = [(7 * n) % 23 for n in range(count)]
    per_epoch = -(-count // size)
    order = list(itertools.islice(fitting.batches(lengths, size, seed=1), 2 * per_epoch))
    first, second = order[:per_epoch], order[per_epoch:]
    for epoch in (first, second):
        assert sorted(index for batch in epoch for index in batch) == list(range(count))
    assert all(len(batch) <= size for batch in order)
    assert count == 1 or first != second
    assert order == list(itertools.islice(fitting.batches(lengths, size, seed=1), 2 * per_epoch))


def test_a_batch_holds_similar_lengths() -> None:
    lengths = [n % 50 for n in range(800)]
    order = list(itertools.islice(fitting.batches(lengths, 16, seed=0), 50))
    padding = sum(max(lengths[i] for i in batch) - lengths[j] for batch in order for j in batch) / 800
    assert padding < 4


def test_padding_stands_on_the_right() -> None:
    assert fitting.pad([[1, 2], [3], [4, 5, 6]], 9).tolist() == [[1, 2, 9], [3, 9, 9], [4, 5, 6]]
