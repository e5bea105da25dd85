"""Decoding on a small random model, against every sequence enumerated and against plain forward passes."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from harness.policies import decoding
from harness.policies.decoding import Ends
from harness.policies.engine import Decoding
from harness.policies.llama import Llama

ENDS = Ends(stops=(1, 3), never=(0, 2))
PROMPTS = [[4, 5, 6], [6], [5, 4, 4, 6, 5, 6, 4], [6, 6]]


@pytest.fixture(scope="module")
def model() -> Llama:
    return random_llama()


def random_llama(kv_heads: int = 2) -> Llama:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=7,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=kv_heads,
        max_position_embeddings=32,
        initializer_range=0.6,
    )
    made = LlamaForCausalLM(config)
    return Llama(config.to_dict(), dict(made.state_dict()))


def logits_after(model: Llama, ids: list[int]) -> torch.Tensor:
    """Log-probabilities after `ids`, by a plain pass over all of them."""
    with torch.inference_mode():
        return torch.log_softmax(model.logits(model.prefill([ids])[0][0]), dim=-1)


def every_sequence(model: Llama, prompt: list[int], limit: int) -> dict[tuple[int, ...], float]:
    after = {(): logits_after(model, prompt)}
    found = {}
    for length in range(1, limit):
        for tokens in itertools.product((4, 5, 6), repeat=length):
            after[tokens] = logits_after(model, [*prompt, *tokens])
            total = sum(float(after[tokens[:n]][token]) for n, token in enumerate(tokens))
            found[tokens] = total + float(torch.logsumexp(after[tokens][list(ENDS.stops)], dim=0))
    return found


def test_a_beam_as_wide_as_the_tree_finds_the_best_of_all_sequences(model: Llama) -> None:
    beams = decoding.beam(model, PROMPTS, 27, 4, ENDS)
    for prompt, found in zip(PROMPTS, beams, strict=True):
        ranked = sorted(every_sequence(model, prompt, 4).items(), key=lambda item: -item[1])
        assert [item.tokens for item in found] == [tokens for tokens, _ in ranked[:27]]
        assert [item.logprob for item in found] == pytest.approx([p for _, p in ranked[:27]], abs=2e-6)


def test_a_narrow_beam_is_a_subset_with_the_same_probabilities(model: Llama) -> None:
    (found,) = decoding.beam(model, PROMPTS[:1], 3, 6, ENDS)
    full = every_sequence(model, PROMPTS[0], 6)
    assert 1 <= len(found) <= 3
    for item in found:
        assert item.stopped and item.logprob == pytest.approx(full[item.tokens], abs=2e-6)


@pytest.mark.parametrize("width", [1, 2, 8])
def test_beams_do_not_depend_on_the_batch(model: Llama, width: int) -> None:
    together = decoding.beam(model, PROMPTS, width, 8, ENDS)
    assert together == [decoding.beam(model, [prompt], width, 8, ENDS)[0] for prompt in PROMPTS]


def test_samples_do_not_depend_on_the_batch(model: Llama) -> None:
    keys = [[f"{row} {n}" for n in range(6)] for row in range(4)]
    draw = Decoding(temperature=1.3, limit=9)
    together = decoding.sample(model, PROMPTS, keys, draw, ENDS)
    for prompt, asked, found in zip(PROMPTS, keys, together, strict=True):
        alone = [decoding.sample(model, [prompt], [[key]], draw, ENDS)[0][0] for key in asked]
        assert alone == found
    assert len({item.tokens for row in together for item in row}) > 8


def test_samples_are_told_in_the_order_in_which_they_end(model: Llama) -> None:
    keys, told = [[f"{row} {n}" for n in range(6)] for row in range(4)], list[tuple[int, int]]()
    draw = Decoding(temperature=1.3, limit=9)
    found = decoding.sample(model, PROMPTS, keys, draw, ENDS, lambda row, key, one: told.append((row, key)))
    lengths = [len(found[row][key].tokens) + found[row][key].stopped for row, key in told]
    assert lengths == sorted(lengths) and len(set(lengths)) > 3
    assert sorted(told) == [(row, key) for row in range(4) for key in range(6)]


def test_a_sample_carries_its_own_log_probability(model: Llama) -> None:
    (found,) = decoding.sample(model, PROMPTS[:1], [[str(n) for n in range(20)]], Decoding(limit=5), ENDS)
    assert {item.stopped for item in found} == {True, False}
    for item in found:
        total = 0.0
        for n, token in enumerate(item.tokens):
            assert token in (4, 5, 6)
            total += float(logits_after(model, [*PROMPTS[0], *item.tokens[:n]])[token])
        if item.stopped:
            after = logits_after(model, [*PROMPTS[0], *item.tokens])
            total += float(torch.logsumexp(after[list(ENDS.stops)], dim=0))
        else:
            assert len(item.tokens) == 5
        assert item.logprob == pytest.approx(total, abs=2e-6)


def test_samples_follow_the_distribution_at_their_temperature(model: Llama) -> None:
    count, temperature = 4000, 0.7
    keys = [[str(n) for n in range(count)]]
    (found,) = decoding.sample(model, [[5, 6]], keys, Decoding(temperature=temperature, limit=1), ENDS)
    logits = logits_after(model, [5, 6]) / temperature
    logits[list(ENDS.never)] = -math.inf
    share = torch.softmax(logits, dim=-1)
    for token in (4, 5, 6):
        seen = sum(item.tokens == (token,) for item in found) / count
        assert seen == pytest.approx(float(share[token]), abs=4 * math.sqrt(0.25 / count))
    seen = sum(item.stopped for item in found) / count
    assert seen == pytest.approx(float(share[1] + share[3]), abs=4 * math.sqrt(0.25 / count))


def test_prompts_with_unequal_numbers_of_samples(model: Llama) -> None:
    keys = [["a", "b", "c"], [], ["d"], ["a", "b"]]
    found = decoding.sample(model, PROMPTS, keys, Decoding(limit=4), ENDS)
    assert [len(row) for row in found] == [3, 0, 1, 2]
    assert decoding.sample(model, [], [], Decoding(limit=4), ENDS) == []
    assert decoding.beam(model, [], 2, 4, ENDS) == []


def test_grouped_query_attention_is_read_right() -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(2)
    config = LlamaConfig(
        vocab_size=9, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=32, initializer_range=0.4, tie_word_embeddings=False,
    )  # fmt: skip
    theirs = LlamaForCausalLM(config).eval()
    ours = Llama(config.to_dict(), dict(theirs.state_dict()))
    with torch.inference_mode():
        expected = theirs(torch.tensor([[3, 4, 5, 6, 7]])).logits[0, -1]
        hidden, prefix = ours.prefill([[3, 4, 5], [8]])
        states, suffix = ours.step(torch.tensor([[6], [6]]), prefix, None)
        states, _ = ours.step(torch.tensor([[7], [7]]), prefix, suffix)
        assert torch.allclose(ours.logits(states[0, 0]).float(), expected, atol=1e-4)
    assert hidden.dtype == torch.float64
