"""Served values: what is asked, what is taken, and that no fault ever becomes a number."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.errors import BadReply, InfraError, UserError
from harness.policies.engine import Ask, Completion, Decoding, EngineAnswer
from harness.prompts.embedded import value_prompt
from harness.serving.fleet import Patience
from harness.serving.models import fleet
from harness.types import ProofState
from harness.values.classifier import ClassifierValue
from harness.values.served import MOST_TEXTS, ServedValue, StepsLeft, StepsValue, check_same
from tests.serving.double import Double, Reply, Respond, running
from tests.tiny_models import make_causal_lm, make_classifier

STATES = [ProofState((f"p{n} : Prop\n⊢ p{n}",)) for n in range(5)]


def classes(values: Sequence[float]) -> dict[str, Any]:
    return {"data": [{"index": n, "probs": [value], "num_classes": 1} for n, value in enumerate(values)]}


def by_length(path: str, body: Any) -> Reply:
    """V of a text is its length over 1000; the data in reverse order, which its indices say."""
    sent = classes([len(text) / 1000 for text in body["input"]])
    return Reply({"data": sent["data"][::-1]})


def with_value(work: Callable[[ServedValue, Double], Coroutine[Any, Any, Any]], respond: Respond) -> Any:
    async def run() -> Any:
        async with running(respond) as [double]:
            quick = Patience(wait_s=0.2, tries=2, back_off_s=0.01)
            made = ServedValue(fleet([double.url], "value_model.urls", 4, 5.0, quick), "judge", value_prompt)
            try:
                return await work(made, double)
            finally:
                await made.close()

    return asyncio.run(run())


def test_values_come_by_index_and_are_asked_once() -> None:
    async def work(made: ServedValue, double: Double) -> None:
        values = await made.score([*STATES, STATES[0]])
        assert values == [len(value_prompt(state.goals)) / 1000 for state in [*STATES, STATES[0]]]
        assert await made.score(STATES[:2]) == values[:2]
        [(path, body)] = double.asked
        assert path == "/classify"
        assert body["model"] == "judge" and body["use_activation"] is True
        assert body["input"] == [value_prompt(state.goals) for state in STATES]

    with_value(work, by_length)


def test_many_states_go_in_several_requests() -> None:
    async def work(made: ServedValue, double: Double) -> None:
        states = [ProofState((f"⊢ p{n}",)) for n in range(2 * MOST_TEXTS + 1)]
        assert len(await made.score(states)) == len(states)
        assert sorted(len(body["input"]) for _, body in double.asked) == [1, MOST_TEXTS, MOST_TEXTS]

    with_value(work, by_length)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(status=500), id="server error"),
        pytest.param(Reply(drop=True), id="lost connection"),
        pytest.param(Reply(b"nan"), id="not an object"),
        pytest.param(Reply(classes([0.5] * 4)), id="too few"),
        pytest.param(Reply({"data": [{"index": 0, "probs": [0.5]}] * 5}), id="one index for all"),
        pytest.param(Reply({"data": [{"index": n, "probs": [0.5, 0.5]} for n in range(5)]}), id="two labels"),
        pytest.param(Reply(classes([1.5] * 5)), id="above one"),
        pytest.param(
            Reply(b'{"data": [' + b",".join([b'{"index": 0, "probs": [NaN]}'] * 5) + b"]}"), id="nan"
        ),
        pytest.param(Reply({"data": [{"index": n, "probs": [None]} for n in range(5)]}), id="none"),
    ],
)
def test_a_failing_value_is_the_machines_failure(reply: Reply) -> None:
    async def work(made: ServedValue, double: Double) -> None:
        with pytest.raises(InfraError):
            await made.score(STATES)

    with_value(work, lambda path, body: reply)


def test_a_wrong_model_name_is_the_users_mistake() -> None:
    async def work(made: ServedValue, double: Double) -> None:
        with pytest.raises(UserError, match="The model `judge` does not exist"):
            await made.score(STATES)

    missing = Reply({"error": {"message": "The model `judge` does not exist."}}, status=404)
    with_value(work, lambda path, body: missing)


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_classifier(tmp_path_factory.mktemp("judge"), context=64)


def test_a_local_classifier_is_the_sigmoid_of_its_logit(judge: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    made = ClassifierValue(str(judge), value_prompt, threads=1)
    values = asyncio.run(made.score([*STATES, ProofState(("⊢ " + "x" * 100,))]))
    model, tokenizer = (
        AutoModelForSequenceClassification.from_pretrained(judge),
        AutoTokenizer.from_pretrained(judge),
    )
    for state, value in zip(STATES, values[:5], strict=True):
        with torch.no_grad():
            logit = model(torch.tensor([tokenizer(value_prompt(state.goals)).input_ids])).logits[0, 0]
        assert value == pytest.approx(float(torch.sigmoid(logit)), abs=1e-5)
    assert 0.0 < values[5] < 1.0


def test_a_checkpoint_without_one_label_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has 2 labels, not 1"):
        ClassifierValue(str(make_causal_lm(tmp_path)), value_prompt)


def test_the_served_value_must_be_the_local_one(judge: Path) -> None:
    local = ClassifierValue(str(judge), value_prompt, threads=1)

    async def same(made: ServedValue, double: Double) -> None:
        await check_same(made, local)

    async def other(made: ServedValue, double: Double) -> None:
        with pytest.raises(
            UserError,
            match=r"value_model\.urls: the server gives 0\.0\d+ .* where value_model\.checkpoint gives",
        ):
            await check_same(made, local)

    def right(path: str, body: Any) -> Reply:
        return Reply(classes(_local(local, body["input"])))

    with_value(same, right)
    with_value(other, by_length)


def _local(local: ClassifierValue, texts: list[str]) -> list[float]:
    ids = [local._tokenizer(text).input_ids for text in texts]
    values = [0.0] * len(texts)
    local._pass(list(range(len(texts))), ids, values)
    return values


class Writes:
    """An engine that writes what it is told."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.asked: list[str] = []

    async def complete(self, asks: Sequence[Ask], decoding: Decoding) -> list[EngineAnswer]:
        self.asked += [ask.prompt.text for ask in asks]
        return [EngineAnswer((Completion(self.texts.pop(0), (-0.1,), "stop"),)) for _ in asks]


def test_steps_left_become_a_power_of_gamma() -> None:
    engine = Writes(" 3", "0\n", "2.5 steps")
    made = StepsValue(engine, StepsLeft("STATE: {state}\nSTEPS:", 0.9))
    assert asyncio.run(made.score(STATES[:3])) == pytest.approx([0.9**3, 1.0, 0.9**2.5])
    assert engine.asked[0] == "STATE: p0 : Prop\n⊢ p0\nSTEPS:"


def test_an_answer_without_a_number_is_no_value() -> None:
    made = StepsValue(Writes("many"), StepsLeft("{state}", 0.9))
    with pytest.raises(BadReply, match="wrote no number"):
        asyncio.run(made.score(STATES[:1]))
    with pytest.raises(UserError, match=r"value_model\.template"):
        StepsValue(Writes(), StepsLeft("state", 0.9))
