"""Schedule, batches and padding."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from trainers import fitting
from trainers.fitting import Saving, Schedule


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


class Line(torch.nn.Module):
    """Learns a line; a device is what the loop asks a model for."""

    device = torch.device("cpu")

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.inner = torch.nn.Linear(4, 1)


def trained(saving: Saving | None, die_at: int | None = None) -> tuple[Any, float, list[int]]:
    """Weights, loss, and the steps that were made now."""
    model, made = Line(), []
    inputs = torch.arange(80.0).reshape(20, 4) / 80

    def loss_of(batch: list[int]) -> Tensor:
        made.append(len(made))
        if len(made) == die_at:
            raise KeyboardInterrupt
        return ((model.inner(inputs[batch])[:, 0] - inputs[batch].sum(1)) ** 2).mean()

    plan = Schedule(steps=40, batch_size=3, learning_rate=1e-2, warmup_steps=4, seed=5)
    loss = fitting.fit(model, loss_of, [1] * 20, plan, lambda *_: None, saving)
    return model.state_dict(), loss, made


@pytest.mark.parametrize("die_at", [1, 2, 17, 40])
def test_a_training_that_was_cut_off_goes_on_and_ends_bit_for_bit_as_one_that_was_not(
    tmp_path: Path, die_at: int
) -> None:
    weights, loss, _ = trained(None)
    saving = Saving(tmp_path / "kept.pt", every_s=0.0)
    with pytest.raises(KeyboardInterrupt):
        trained(saving, die_at)
    again, same, made = trained(saving)
    assert len(made) == 40 - (die_at - 1), "no step is made twice"
    assert same == loss and all(torch.equal(again[name], weights[name]) for name in weights)
    saving.done()
    assert not list(tmp_path.iterdir())
