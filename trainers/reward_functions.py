"""Lean's verdict as a reward for other trainers: one function each, in the shape in which they call it.

`HARNESS_REWARD` names the settings (`harness reward FILE --write` makes them and the problems beside them).
A row of training data names its problem as `trainers.judge.key` does: `id@revision`.

    OpenRLHF   --reward.remote_url /path/of/reward_functions.py     calls `reward_func`; the label is the name
    verl       custom_reward_function.path, .name: compute_score    the ground truth is the name
    TRL        GRPOTrainer(reward_funcs=trl_reward)                 a column `problem` holds the name
    SLIME      --custom-rm-path trainers.reward_functions.slime     the sample's label is the name

What the machine could not judge is never zero: TRL gets None, which it leaves out of the mean; for the others
`InfraError` is raised, since their numbers cannot say it.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.errors import InfraError, UserError
from trainers.judge import SETTINGS_VARIABLE, Judge, Judged, Settings, logs_of


class Court:
    """A judge for callers without an event loop; its own runs in a thread."""

    def __init__(self, settings: Settings) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="court", daemon=True).start()
        self._judge = asyncio.run_coroutine_threadsafe(_make(settings), self._loop).result()

    def judge_all(self, pairs: Sequence[tuple[str, str]]) -> list[Judged]:
        """What each (problem's name, text) earns, in order."""
        return asyncio.run_coroutine_threadsafe(self._all(pairs), self._loop).result()

    async def judge(self, name: str, text: str) -> Judged:
        """The same for one, from an event loop of the caller's."""
        return await asyncio.wrap_future(
            asyncio.run_coroutine_threadsafe(self._judge.judge(name, text), self._loop)
        )

    async def _all(self, pairs: Sequence[tuple[str, str]]) -> list[Judged]:
        return list(await asyncio.gather(*(self._judge.judge(name, text) for name, text in pairs)))


async def _make(settings: Settings) -> Judge:
    return Judge(settings)


@lru_cache(maxsize=1)
def court() -> Court:
    """This process's own, from the settings that HARNESS_REWARD names. Raises `UserError` without them."""
    named = os.environ.get(SETTINGS_VARIABLE)
    if not named:
        raise UserError(f"{SETTINGS_VARIABLE} is not set; `harness reward FILE --write` says how")
    return Court(Settings.read(Path(named)))


def scored(judged: Judged) -> float:
    """The reward. Raises `InfraError` for what could not be judged."""
    if judged.reward is None:
        raise InfraError(f"a proof could not be judged: {judged.verdict.detail or judged.verdict.reason}")
    return judged.reward


def response(query: str, prompt: str) -> str:
    """What the generator added to its prompt."""
    if not query.startswith(prompt):
        raise UserError("the query does not begin with the prompt; send both as the tokenizer spells them")
    return query.removeprefix(prompt)


def name_of(label: Any) -> str:
    """The problem's name: the label, or its `problem`."""
    name = label.get("problem") if isinstance(label, Mapping) else label
    if not isinstance(name, str):
        raise UserError(f"the label {label!r} names no problem; make it id@revision")
    return name


def reward_func(queries: Sequence[str], prompts: Sequence[str], labels: Sequence[Any]) -> dict[str, Any]:
    """OpenRLHF's reward file: lists of one, and one sample's figures back."""
    pairs = [
        (name_of(label), response(query, prompt))
        for query, prompt, label in zip(queries, prompts, labels, strict=True)
    ]
    (judged,) = court().judge_all(pairs)
    worth = scored(judged)
    proved = float(worth == 1.0)
    return {"rewards": worth, "scores": proved, "extra_logs": logs_of(judged)}


def compute_score(data_source: str, solution_str: str, ground_truth: Any, extra_info: Any = None) -> float:
    """verl's custom reward function."""
    (judged,) = court().judge_all([(name_of(ground_truth), solution_str)])
    return scored(judged)


def trl_reward(completions: Sequence[str], problem: Sequence[str], **_: Any) -> list[float | None]:
    """TRL's reward function, for data with a column `problem`."""
    found = court().judge_all(
        [(name_of(name), text) for name, text in zip(problem, completions, strict=True)]
    )
    return [judged.reward for judged in found]


async def slime(args: Any, sample: Any, **_: Any) -> float:
    """SLIME's custom reward model."""
    return scored(await court().judge(name_of(sample.label), sample.response))
