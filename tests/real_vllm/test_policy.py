"""The engine over a real vLLM against the same weights in this process."""

from __future__ import annotations

import asyncio

import pytest

from harness.errors import UserError
from harness.policies.engine import Ask, Decoding, EngineAnswer
from harness.policies.hugging_face import LanguageModel, Placement
from harness.policies.openai import ServedModel, ServedName
from harness.prompts.probes import PROBLEMS, SITUATIONS
from harness.prompts.prompt import Message, Prompt
from harness.prompts.registry import families
from harness.serving.fleet import Patience
from harness.serving.models import fleet
from tests.real_vllm.conftest import Served

pytestmark = pytest.mark.vllm

RAW = [Prompt(text=text) for text in ("theorem p", "⊢ p ∧ q → r", "intro h\n", "x", "h1 : p\nh2 : q\n⊢ p:::")]
CHAT = [Prompt((Message("system", "Lean"), Message("user", text))) for text in ("prove p", "⊢ p ∨ q", "simp")]


def served(model: Served, asks: list[Ask], how: Decoding, name: str | None = None) -> list[EngineAnswer]:
    async def run() -> list[EngineAnswer]:
        patience = Patience(wait_s=5.0)
        made = ServedModel(
            fleet([model.url], "policy.urls", 16, 60.0, patience), ServedName(name or model.folder.name)
        )
        try:
            return await made.complete(asks, how)
        finally:
            await made.close()

    return asyncio.run(run())


@pytest.fixture(scope="module")
def local(language_model: Served) -> LanguageModel:
    return LanguageModel(str(language_model.folder), placement=Placement(threads=1))


def in_process(local: LanguageModel, asks: list[Ask], how: Decoding) -> list[EngineAnswer]:
    return asyncio.run(local.complete(asks, how))


def assert_same(one: list[EngineAnswer], other: list[EngineAnswer]) -> None:
    for a, b in zip(one, other, strict=True):
        assert a.prompt_tokens == b.prompt_tokens
        assert [item.text for item in a.completions] == [item.text for item in b.completions]
        assert [item.finish for item in a.completions] == [item.finish for item in b.completions]
        for mine, theirs in zip(a.completions, b.completions, strict=True):
            assert mine.logprobs == pytest.approx(theirs.logprobs, abs=1e-3)


@pytest.mark.parametrize("penalty", [1.0, 1.2])
def test_greedy_texts_and_log_probabilities_are_those_in_process(
    language_model: Served, local: LanguageModel, penalty: float
) -> None:
    how = Decoding("greedy", 40, repetition_penalty=penalty)
    asks = [Ask(prompt, 1, 0) for prompt in (*RAW, *CHAT)]
    assert_same(served(language_model, asks, how), in_process(local, asks, how))


def test_every_familys_prompt_has_the_same_tokens(language_model: Served, local: LanguageModel) -> None:
    prompts = [item.proof(PROBLEMS[0]) for item in families().values() if item.proof]
    prompts += [item.tactic(SITUATIONS[0]) for item in families().values() if item.tactic]
    asks = [Ask(prompt, 1, 0) for prompt in prompts]
    how = Decoding("greedy", 8)
    for mine, theirs in zip(served(language_model, asks, how), in_process(local, asks, how), strict=True):
        assert bool(mine.overflow) == bool(theirs.overflow)
        assert mine.overflow or mine.prompt_tokens == theirs.prompt_tokens


def test_a_stop_string_cuts_there_as_here(language_model: Served, local: LanguageModel) -> None:
    how = Decoding("greedy", 40)
    [whole] = in_process(local, [Ask(RAW[0], 1, 0)], how)
    text = whole.completions[0].text
    mark = next(text[at : at + 2] for at in range(3, len(text)) if text[at : at + 2].isascii())
    asks = [Ask(Prompt(text=RAW[0].text, stop=(mark,)), 1, 0)]
    one, other = served(language_model, asks, how), in_process(local, asks, how)
    assert one[0].completions[0].finish == "stop"
    assert_same(one, other)


def test_samples_repeat_by_seed_and_are_as_many_as_asked(language_model: Served) -> None:
    how = Decoding("sample", 12, temperature=0.9, top_k=40, top_p=0.95, min_p=0.01)
    asks = [Ask(RAW[0], 4, seed) for seed in (1, 2)]
    first, again = served(language_model, asks, how), served(language_model, asks, how)
    texts = [[item.text for item in answer.completions] for answer in first]
    assert texts == [[item.text for item in answer.completions] for answer in again]
    assert [len(row) for row in texts] == [4, 4]
    assert len({text for row in texts for text in row}) > 4


def test_log_probabilities_are_the_models_own_whatever_the_temperature(
    language_model: Served, local: LanguageModel
) -> None:
    """A sample's tokens are likelier or not at another temperature; what is told is temperature 1."""
    how = Decoding("sample", 1, temperature=0.2, top_p=0.5)
    [answer] = served(language_model, [Ask(RAW[0], 8, 3)], how)
    [greedy] = in_process(local, [Ask(RAW[0], 1, 0)], Decoding("greedy", 1))
    best = greedy.completions[0]
    told = [item.logprob for item in answer.completions if item.text == best.text]
    assert told and told == pytest.approx([best.logprob] * len(told), abs=1e-3)


def test_beams_are_those_in_process(language_model: Served, local: LanguageModel) -> None:
    how = Decoding("beam", 6)
    asks = [Ask(prompt, 4, 0) for prompt in RAW[:3]]
    one, other = served(language_model, asks, how), in_process(local, asks, how)
    for mine, theirs in zip(one, other, strict=True):
        assert mine.prompt_tokens == theirs.prompt_tokens
        assert _beams(mine) == _beams(theirs)
        assert sorted(item.logprob for item in mine.completions) == pytest.approx(
            sorted(item.logprob for item in theirs.completions), abs=1e-3
        )


def test_a_beam_is_counted_with_its_terminator(language_model: Served, local: LanguageModel) -> None:
    """The tokens of the returned beams, the same in a search's budget and in its log-probabilities. Which
    beams return differs at times: vLLM also ends one whose terminator is not among the best of its step."""
    how = Decoding("beam", 12)
    text = in_process(local, [Ask(RAW[0], 4, 0)], how)[0].completions[0].text
    mark = next(text[at : at + 2] for at in range(1, len(text)) if text[at : at + 2].isascii())
    asks = [Ask(Prompt(text=prompt.text, stop=(mark,)), 4, 0) for prompt in RAW]
    one, other = served(language_model, asks, how), in_process(local, asks, how)
    shared = [set(_beams(a)) & set(_beams(b)) for a, b in zip(one, other, strict=True)]
    texts = [
        {item.text for item in a.completions} & {item.text for item in b.completions}
        for a, b in zip(one, other, strict=True)
    ]
    assert [{text for text, _, _ in beams} for beams in shared] == texts
    assert any(finish == "stop" for beams in shared for _, finish, _ in beams)


def _beams(answer: EngineAnswer) -> list[tuple[str, str, int]]:
    return sorted((item.text, item.finish, len(item.logprobs)) for item in answer.completions)


def test_a_prompt_beyond_the_context_is_told_and_the_limit_is_cut_to_it(language_model: Served) -> None:
    long, near = Prompt(text="⊢" * 300), Prompt(text="x" * 250)
    beyond, cut = served(language_model, [Ask(long, 1, 0), Ask(near, 1, 0)], Decoding("greedy", 5000))
    assert beyond.completions == () and "maximum context length" in beyond.overflow
    [item] = cut.completions
    assert item.finish == "stop" or cut.prompt_tokens + len(item.logprobs) == 256


def test_a_wrong_name_and_a_refused_setting_are_the_users(language_model: Served) -> None:
    with pytest.raises(UserError, match="does not serve 'other'; it serves: tiny"):
        served(language_model, [Ask(RAW[0], 1, 0)], Decoding(), "other")
    with pytest.raises(UserError, match=r"refuses the request: .*logprobs"):
        served(language_model, [Ask(RAW[0], 30, 0)], Decoding("beam", 4))
