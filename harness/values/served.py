"""Value models behind servers: classifiers asked through vLLM's `/classify`, and models that write numbers.

Whatever keeps a value away (no answer, another length, a number that is none) is the machine's failure and
raises `InfraError`: a search that went on with a made-up value would be told as the model's.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.errors import BadReply, UserError
from harness.policies.engine import Ask, Decoding, Engine
from harness.prompts.prompt import Prompt
from harness.protocols import Value
from harness.serving.fleet import Fleet
from harness.serving.http import HttpFault
from harness.serving.models import refusal
from harness.types import ProofState
from harness.values.kept import AskValue, Kept

MOST_TEXTS = 64
"""Texts of one request; a longer list would keep one server busy while another waits."""
TOLERANCE = 0.02
"""Between the served and the local value of a probe: bfloat16 against float32 moves a sigmoid by less."""


class ServedValue:
    """A `Value` over servers of a sequence classifier with one label; cached by text."""

    def __init__(self, fleet: Fleet, model: str, ask: AskValue) -> None:
        self._fleet, self._model, self._ask, self._kept = fleet, model, ask, Kept()

    async def score(self, states: Sequence[ProofState]) -> list[float]:
        """V of each state, in order; of a state beyond the context the end is read.

        Raises `UserError` for a model that is not served, `InfraError` for any other fault.
        """
        return await self._kept.scores([self._ask(state.goals) for state in states], self._scored)

    async def close(self) -> None:
        """Close the connections."""
        await self._fleet.close()

    async def _scored(self, texts: list[str]) -> list[float]:
        parts = [texts[start : start + MOST_TEXTS] for start in range(0, len(texts), MOST_TEXTS)]
        found = await asyncio.gather(*(self._classified(part) for part in parts))
        return [value for part in found for value in part]

    async def _classified(self, texts: list[str]) -> list[float]:
        body = {
            "model": self._model,
            "input": texts,
            "use_activation": True,
            "truncate_prompt_tokens": -1,
            "truncation_side": "left",
        }
        try:
            answer = await self._fleet.post("/classify", body, texts[0])
        except HttpFault as fault:
            raise refusal("value_model.urls: /classify", fault) from fault
        return read_classes(answer, len(texts))


def read_classes(answer: object, count: int) -> list[float]:
    """The one probability of each of `count` texts, in order. Raises `BadReply` for any other answer."""
    data = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(data, list) or len(data) != count:
        raise BadReply(f"/classify did not answer {count} texts with as many values: {str(answer)[:120]!r}")
    values: dict[int, float] = {}
    for item in data:
        index, probs = (item.get("index"), item.get("probs")) if isinstance(item, Mapping) else (None, None)
        if not isinstance(index, int) or not isinstance(probs, list) or len(probs) != 1:
            raise BadReply(
                f"/classify sent no single probability; a value model has one label: {str(item)[:120]!r}"
            )
        if isinstance(probs[0], bool) or not isinstance(probs[0], int | float):
            raise BadReply(f"/classify sent a probability that is none: {probs[0]!r}")
        values[index] = float(probs[0])
    if sorted(values) != list(range(count)):
        raise BadReply("/classify numbered its values wrongly")
    return [values[index] for index in range(count)]


PROBES = (
    ProofState(("⊢ True",)),
    ProofState(("p q : Prop\nhp : p\nhq : q\n⊢ p ∧ q",)),
    ProofState(("n : Nat\n⊢ 0 + n = n", "n : Nat\n⊢ n * 1 = n")),
)
"""States whose value every value model must agree on with itself."""


async def check_same(served: Value, local: Value) -> None:
    """Compare what is served with the checkpoint it is said to be, on fixed states.

    Raises `UserError` when they differ: another model, another prompt, or a head that was not loaded.
    """
    told, expected = await served.score(PROBES), await local.score(PROBES)
    for state, value, wanted in zip(PROBES, told, expected, strict=True):
        if abs(value - wanted) > TOLERANCE:
            raise UserError(
                f"value_model.urls: the server gives {value:.4f} for the state {state.text!r} where "
                f"value_model.checkpoint gives {wanted:.4f}: another model, or this one without its head"
            )


@dataclass(frozen=True, slots=True)
class StepsLeft:
    """How a model is asked for the number of tactics left."""

    template: str
    """Text with `{state}` in it; sent as it is, without a chat template."""
    gamma: float
    """V = gamma to the power of the number that the model writes."""
    limit: int = 8
    """Tokens that the model may write."""


_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class StepsValue:
    """A `Value` over a language model that writes how many tactics are left, as LeanProgress's does."""

    def __init__(self, engine: Engine, how: StepsLeft) -> None:
        """Raises `UserError` for a template without a place for the state."""
        if "{state}" not in how.template:
            raise UserError("value_model.template: has no {state} in it; say where the state goes")
        self._engine, self._how, self._kept = engine, how, Kept()

    async def score(self, states: Sequence[ProofState]) -> list[float]:
        """gamma ** (number written) for each state. Raises `BadReply` for an answer that begins with none."""
        texts = [self._how.template.replace("{state}", state.text) for state in states]
        return await self._kept.scores(texts, self._scored)

    async def _scored(self, texts: list[str]) -> list[float]:
        asks = [Ask(Prompt(text=text), 1, 0) for text in texts]
        answers = await self._engine.complete(asks, Decoding("greedy", self._how.limit))
        values = []
        for text, answer in zip(texts, answers, strict=True):
            written = answer.completions[0].text if answer.completions else answer.overflow
            number = _NUMBER.match(written.strip()) if answer.completions else None
            if number is None:
                raise BadReply(f"the steps model wrote no number for {text[-60:]!r}: {written[:60]!r}")
            values.append(self._how.gamma ** float(number.group()))
        return values
