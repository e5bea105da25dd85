"""Decoding settings against transformers on the same logits."""

from __future__ import annotations

import itertools

import pytest
import torch

from harness.policies.choosing import choose, stream, warp
from harness.policies.engine import Decoding
from harness.policies.llama import Llama
from tests.policies.test_decoding import ENDS, random_llama

LOGITS = 3 * torch.randn(64, 50, generator=torch.Generator().manual_seed(3))
PROMPT = torch.randint(0, 50, (64, 7), generator=torch.Generator().manual_seed(4))

SETTINGS = [
    {"temperature": 0.7},
    {"top_k": 5},
    {"top_p": 0.9},
    {"top_p": 0.01},
    {"min_p": 0.1},
    {"repetition_penalty": 1.3},
    {"temperature": 1.4, "top_k": 20, "top_p": 0.8, "min_p": 0.05, "repetition_penalty": 0.8},
]


def seen(prompt: torch.Tensor, size: int) -> torch.Tensor:
    return torch.zeros(len(prompt), size, dtype=torch.bool).scatter(1, prompt, True)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_each_setting_leaves_the_tokens_that_transformers_leaves(settings: dict[str, float]) -> None:
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    model = LlamaForCausalLM(LlamaConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1))
    config = GenerationConfig(do_sample=True, **settings)
    processors = model._get_logits_processor(config, input_ids_seq_length=7)
    expected = processors(PROMPT, LOGITS.clone())
    found = warp(LOGITS.clone(), Decoding(**settings), seen(PROMPT, 50))  # type: ignore[arg-type]
    torch.testing.assert_close(found, expected)


def test_uniform_numbers_invert_the_distribution_that_is_left() -> None:
    logits = torch.log(torch.tensor([0.1, 0.2, 0.3, 0.4]))
    how = Decoding(top_k=2)
    numbers = torch.tensor([0.0, 0.42, 0.44, 0.999])
    assert choose(logits.expand(4, 4), numbers, how).tolist() == [2, 2, 3, 3]


def test_greedy_knows_no_setting_but_the_repetition_penalty() -> None:
    how = Decoding("greedy", temperature=9.0, top_p=0.1, repetition_penalty=3.0)
    logits = torch.tensor([[2.0, 1.9, -1.0]])
    marked = torch.tensor([[True, False, False]])
    assert choose(logits, torch.tensor([0.99]), how, marked).tolist() == [1]
    assert choose(logits, torch.tensor([0.99]), how).tolist() == [0]


def test_a_stream_depends_on_its_key_alone() -> None:
    assert list(itertools.islice(stream("a"), 3)) == list(itertools.islice(stream("a"), 3))
    assert next(stream("a")) != next(stream("b"))


@pytest.mark.parametrize("penalty", [1.0, 1.7])
def test_greedy_decoding_of_our_model_is_generate_of_transformers(penalty: float) -> None:
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    from harness.policies import decoding

    model: Llama = random_llama()
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=7,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=32,
        initializer_range=0.6,
    )
    reference = LlamaForCausalLM(config).double().eval()
    prompts = [[4, 5, 6], [6], [5, 4, 4, 6]]
    how = Decoding("greedy", 12, repetition_penalty=penalty)
    found = decoding.sample(model, prompts, [[""]] * 3, how, ENDS)
    settings = GenerationConfig(
        max_new_tokens=12,
        do_sample=False,
        repetition_penalty=penalty,
        eos_token_id=list(ENDS.stops),
        pad_token_id=0,
        suppress_tokens=list(ENDS.never),
    )
    for prompt, (mine,) in zip(prompts, found, strict=True):
        made = reference.generate(torch.tensor([prompt]), generation_config=settings)[
            0, len(prompt) :
        ].tolist()
        assert list(mine.tokens) == [token for token in made if token not in ENDS.stops]
