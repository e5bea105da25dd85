"""The trunk at some positions alone: the same numbers and gradients as the whole of it."""

from __future__ import annotations

import pytest
import torch
from transformers import LlamaConfig, LlamaModel

from trainers import trunk

WANTED = torch.tensor([[0, 0, 1, 1, 1, 0], [1, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0]], dtype=torch.bool)


def llama(layers: int, key_heads: int) -> LlamaModel:
    torch.manual_seed(layers)
    config = LlamaConfig(
        vocab_size=40,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=key_heads,
    )
    return LlamaModel(config).double()


@pytest.mark.parametrize("layers, key_heads", [(1, 4), (2, 4), (3, 2)])
def test_numbers_and_gradients_are_those_of_the_whole(layers: int, key_heads: int) -> None:
    model = llama(layers, key_heads)
    ids = torch.randint(40, WANTED.shape)
    weights = torch.randn(int(WANTED.sum()), 32, dtype=torch.float64)

    def gradients(hidden: torch.Tensor) -> list[torch.Tensor]:
        model.zero_grad()
        (hidden * weights).sum().backward()
        return [p.grad.clone() for p in model.parameters() if p.grad is not None]

    whole, part = model(input_ids=ids).last_hidden_state[WANTED], trunk.hidden_at(model, ids, WANTED)

    # A norm rounds to float32 on the way, in whatever the weights are.
    torch.testing.assert_close(part, whole, rtol=1e-5, atol=1e-6)
    for found, right in zip(gradients(part), gradients(whole), strict=True):
        torch.testing.assert_close(found, right, rtol=1e-4, atol=1e-5)


def test_what_stands_after_a_position_does_not_reach_it() -> None:
    model = llama(2, 4)
    ids = torch.randint(40, WANTED.shape)
    first = torch.zeros_like(WANTED)
    first[:, 2] = True
    changed = ids.clone()
    changed[:, 3:] = (changed[:, 3:] + 1) % 40

    torch.testing.assert_close(trunk.hidden_at(model, changed, first), trunk.hidden_at(model, ids, first))
