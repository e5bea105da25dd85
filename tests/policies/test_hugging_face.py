"""The engine over transformers, against plain forward passes and against `generate` itself."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers.utils import logging

from harness.errors import UserError
from harness.policies.engine import Ask, Decoding, EngineAnswer
from harness.policies.hugging_face import LanguageModel, Placement
from harness.prompts.prompt import Message, Prompt
from tests.tiny_models import make_causal_lm

PLACE = Placement(dtype="float64", threads=1)
PROMPTS = [
    Prompt(text="theorem p"),
    Prompt(text="⊢ p ∧ q → r"),
    Prompt((Message("system", "Lean"), Message("user", "intro h, then exact h"))),
    Prompt(text="x"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_causal_lm(tmp_path_factory.mktemp("causal"), context=64)


@pytest.fixture(scope="module")
def model(folder: Path) -> LanguageModel:
    return LanguageModel(str(folder), placement=PLACE)


@pytest.fixture(scope="module")
def reference(folder: Path) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64), AutoTokenizer.from_pretrained(
        folder
    )


def test_loading_draws_no_bars_into_a_pipe(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    logging.enable_progress_bar()
    LanguageModel(str(folder), placement=PLACE)
    assert capfd.readouterr().err == ""


def complete(model: LanguageModel, asks: list[Ask], how: Decoding) -> list[EngineAnswer]:
    return asyncio.run(model.complete(asks, how))


def ids_of(tokenizer: Any, prompt: Prompt) -> list[int]:
    if prompt.messages:
        turns = [{"role": m.role, "content": m.content} for m in prompt.messages]
        text = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
        assert text == "<|system|>Lean<|end|><|user|>intro h, then exact h<|end|><|assistant|>"
        return list(tokenizer(text).input_ids)
    return list(tokenizer(prompt.text).input_ids)


def test_greedy_is_generates_own_and_its_log_probabilities_those_of_a_forward_pass(
    model: LanguageModel, reference: tuple[Any, Any]
) -> None:
    plain, tokenizer = reference
    answers = complete(model, [Ask(prompt, 3, 0) for prompt in PROMPTS], Decoding("greedy", 12))
    for prompt, answer in zip(PROMPTS, answers, strict=True):
        ids = ids_of(tokenizer, prompt)
        row = plain.generate(torch.tensor([ids]), max_new_tokens=12, do_sample=False)[0]
        (item,) = answer.completions
        assert answer.prompt_tokens == len(ids)
        assert item.text == tokenizer.decode(row[len(ids) :], skip_special_tokens=True).rstrip("\ufffd")
        assert item.finish == ("stop" if int(row[-1]) == 1 else "length")
        with torch.no_grad():
            logprob = torch.log_softmax(plain(row[None]).logits[0].float(), dim=-1)
        expected = [float(logprob[at - 1, row[at]]) for at in range(len(ids), len(row))]
        assert list(item.logprobs) == pytest.approx(expected, abs=1e-5)


def test_samples_depend_on_prompt_and_seed_alone(model: LanguageModel) -> None:
    how = Decoding("sample", 8, temperature=0.9, top_p=0.9, repetition_penalty=1.1)
    asks = [Ask(prompt, 2, seed) for prompt in PROMPTS for seed in (1, 2)]
    together = complete(model, asks, how)
    assert together == [complete(model, [ask], how)[0] for ask in asks]
    texts = [item.text for answer in together for item in answer.completions]
    assert len(set(texts)) > len(texts) // 2


def test_answers_come_as_they_end_and_are_the_same(model: LanguageModel) -> None:
    how = Decoding("sample", 24, temperature=1.5)
    prompts = [Prompt(text=prompt.text, stop=("a", "e")) for prompt in PROMPTS if prompt.text]
    asks = [Ask(prompt, 2, seed) for prompt in prompts for seed in range(5)]

    async def streamed() -> list[tuple[int, EngineAnswer]]:
        return [item async for item in model.answers(asks, how)]

    came = asyncio.run(streamed())
    last = [max(len(one.logprobs) for one in answer.completions) for _, answer in came]
    assert last == sorted(last) and len(set(last)) > 2
    assert dict(came) == dict(enumerate(complete(model, asks, how)))


def test_a_begun_answer_is_gone_on_with(
    model: LanguageModel, reference: tuple[Any, Any], folder: Path
) -> None:
    lm, tokenizer = reference
    prompt = Prompt((Message("user", "prove p"), Message("assistant", "theorem p := by\n")))
    text = "<|user|>prove p<|end|><|assistant|>theorem p := by\n"
    ids = torch.tensor([tokenizer(text, add_special_tokens=False).input_ids])
    wanted = lm.generate(ids, max_new_tokens=5, do_sample=False)[0, ids.shape[1] :]
    [answer] = complete(model, [Ask(prompt, 1, 0)], Decoding("greedy", 5))
    assert answer.prompt_tokens == ids.shape[1]
    assert answer.completions[0].text == tokenizer.decode(wanted, skip_special_tokens=True).rstrip("\ufffd")


def test_a_template_that_changes_a_begun_answer_is_refused(folder: Path) -> None:
    strict = LanguageModel(str(folder), placement=PLACE)
    trimming = strict._tokenizer.chat_template.replace("message['content']", "message['content'] | trim")
    strict._tokenizer.chat_template = trimming
    prompt = Prompt((Message("user", "prove p"), Message("assistant", "theorem p := by\n")))
    with pytest.raises(UserError, match="changes the end of an answer"):
        complete(strict, [Ask(prompt, 1, 0)], Decoding("greedy", 5))


def test_beams_are_those_of_generate(model: LanguageModel, reference: tuple[Any, Any]) -> None:
    plain, tokenizer = reference
    (answer,) = complete(model, [Ask(PROMPTS[0], 4, 0)], Decoding("beam", 6))
    ids = torch.tensor([ids_of(tokenizer, PROMPTS[0])])
    rows = plain.generate(ids, num_beams=4, num_return_sequences=4, max_new_tokens=6, length_penalty=0.0)
    texts = tokenizer.batch_decode(rows[:, ids.shape[1] :], skip_special_tokens=True)
    assert [item.text for item in answer.completions] == [text.rstrip("\ufffd") for text in texts]
    scores = [item.logprob for item in answer.completions]
    assert scores == sorted(scores, reverse=True)


def test_a_stop_string_ends_the_text_and_counts_its_tokens(model: LanguageModel) -> None:
    (whole,) = complete(model, [Ask(PROMPTS[0], 1, 0)], Decoding("greedy", 12))
    text = whole.completions[0].text
    mark = text[3:5]
    stopping = Prompt(text=PROMPTS[0].text, stop=(mark, "never"))
    (cut,) = complete(model, [Ask(stopping, 1, 0)], Decoding("greedy", 12))
    (item,) = cut.completions
    assert (item.text, item.finish) == (text[: text.index(mark)], "stop")
    assert item.logprobs == whole.completions[0].logprobs[: len(item.logprobs)]
    assert len(item.logprobs) < 12


def test_a_prompt_that_fills_the_context_is_told_and_one_near_it_is_cut(
    model: LanguageModel,
) -> None:
    too_long, nearly = Prompt(text="⊢" * 64), Prompt(text="x" * 60)
    short, long, near = complete(
        model, [Ask(p, 1, 0) for p in (PROMPTS[3], too_long, nearly)], Decoding("greedy")
    )
    assert len(short.completions) == 1
    assert long.completions == () and "the context is 64" in long.overflow
    assert near.completions[0].finish == "length"
    assert len(near.completions[0].logprobs) == 64 - near.prompt_tokens


def test_of_a_model_with_an_encoder_the_prompt_is_the_input(tmp_path: Path) -> None:
    """As ReProver's: bytes in, bytes out, nothing of the state in the answer."""
    from transformers import ByT5Tokenizer, T5Config, T5ForConditionalGeneration

    torch.manual_seed(0)
    tokenizer = ByT5Tokenizer()
    config = T5Config(
        vocab_size=384, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, decoder_start_token_id=0
    )
    plain = T5ForConditionalGeneration(config).eval()
    with torch.no_grad():
        plain.lm_head.weight.mul_(3.0)
    plain.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    model = LanguageModel(str(tmp_path), placement=PLACE)
    plain = plain.double()
    prompts = [Prompt(text="p : Prop\n⊢ p → p"), Prompt(text="⊢ True")]
    answers = complete(model, [Ask(prompt, 1, 0) for prompt in prompts], Decoding("greedy", 10))
    for prompt, answer in zip(prompts, answers, strict=True):
        ids = torch.tensor([tokenizer(prompt.text).input_ids])
        row = plain.generate(ids, max_new_tokens=10, do_sample=False)
        (item,) = answer.completions
        with torch.no_grad():
            logprob = torch.log_softmax(plain(input_ids=ids, decoder_input_ids=row).logits[0].float(), dim=-1)
        expected = [float(logprob[at - 1, row[0, at]]) for at in range(1, row.shape[1])]
        assert list(item.logprobs) == pytest.approx(expected, abs=1e-5)
    (beams,) = complete(model, [Ask(prompts[0], 4, 0)], Decoding("beam", 6))
    assert len({item.logprobs for item in beams.completions}) > 1
    assert [item.logprob for item in beams.completions] == sorted(
        (item.logprob for item in beams.completions), reverse=True
    )


def test_what_cannot_be_loaded_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"policy\.model: .* cannot be loaded"):
        LanguageModel(str(tmp_path), placement=PLACE)
