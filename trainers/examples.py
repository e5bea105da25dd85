"""From proofs to what the generator is trained on: (prompt, completion) for every state along a proof."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness import devices
from harness.lean.services.embedded import CoreSessions
from harness.lean.text.answer import read_answer
from harness.processes.pool import Pool
from harness.prompts import embedded
from harness.protocols import Sessions
from harness.types import Problem, Step

_BY = re.compile(r"\Aby(?!\S)")
"""Not the beginning of `by_cases`."""
MANY, PART = 400, 50
"""Theorems that are worth a process, and those that it is given at a time."""

Theorem = tuple[Problem, list[str]]
"""With its distinct proofs, the shortest first."""


@dataclass(frozen=True, slots=True)
class Example:
    """One training text; the loss is on `completion` and the end token after it alone."""

    prompt: str
    completion: str


@dataclass(frozen=True, slots=True)
class ProofStep:
    """A state on a proof and the tactic applied there."""

    goals: tuple[str, ...]
    tactic: str


def tactics_of(proof: str) -> list[str]:
    """The top-level tactics of a tactic block, in order; a leading `by` is dropped.

    A line that is indented deeper than the first one, or that begins with `|`, continues its tactic.
    """
    lines = [line for line in _BY.sub("", proof).split("\n") if line.strip()]
    if not lines:
        return []
    margin = len(lines[0]) - len(lines[0].lstrip())
    tactics: list[str] = []
    for line in lines:
        indent = len(line) - len(line.lstrip())
        body = line[min(margin, indent) :].rstrip()
        if tactics and (indent > margin or body.startswith("|")):
            tactics[-1] += "\n" + body
        else:
            tactics.append(body)
    return tactics


def tactic_block(problem: Problem, answer: str) -> str:
    """What a whole-proof model's answer has under the statement, comments blanked out; empty without a proof.

    An answer may be a file that restates the theorem, with a header of its own, or the bare proof. A term
    stays one.
    """
    block = read_answer(problem, answer).proof.strip().removeprefix(":=").lstrip(" ")
    return _BY.sub("", block).strip("\n")


async def replay(sessions: Sessions, problem: Problem, proof: str) -> list[ProofStep] | None:
    """The states that `proof` passes through, or None when it does not replay tactic by tactic to its end.

    Raises `InfraError` when the session fails.
    """
    session = await sessions.open(problem)
    try:
        state = await session.start()
        steps: list[ProofStep] = []
        tactics = tactics_of(proof)
        for number, tactic in enumerate(tactics, start=1):
            steps.append(ProofStep(state.goals, tactic))
            result = await session.apply(state, tactic)
            if result.outcome is Step.DONE:
                return steps if number == len(tactics) else None
            if result.state is None:
                return None
            state = result.state
        return None
    finally:
        await session.close()


def examples(steps: Sequence[ProofStep]) -> list[Example]:
    """One example per state: its first goal, and the tactics up to the closing of that goal.

    A goal is closed where fewer goals are left than stood at its state. States whose tactic spans several
    lines are left out: the line break that ends a tactic would cut it.
    """
    found: list[Example] = []
    for start, step in enumerate(steps):
        end = start + 1
        while end < len(steps) and len(steps[end].goals) >= len(step.goals):
            end += 1
        tactics = [later.tactic for later in steps[start:end]]
        if "\n" not in step.tactic:
            found.append(Example(embedded.tactic_prompt(step.goals), embedded.completion(tactics)))
    return found


async def from_proofs(sessions: Sessions, proofs: Iterable[tuple[Problem, str]]) -> tuple[list[Example], int]:
    """Examples of one proof of every theorem, the shortest that replays, without repeats, and the number of
    theorems of which none does.

    Many theorems are shared out to processes where the embedded core replays them and there are cores.
    """
    theorems = shortest_first(proofs)
    workers = min(devices.cores(), len(theorems) // MANY)
    if workers < 2 or not isinstance(sessions, CoreSessions):
        taught = await _taught(sessions, theorems)
    else:
        parts = [theorems[first : first + PART] for first in range(0, len(theorems), PART)]
        with Pool(workers) as pool:
            asked = [asyncio.wrap_future(pool.submit(_taught_there, sessions, part)) for part in parts]
            taught = [one for part in await asyncio.gather(*asked) for one in part]
    found = dict.fromkeys(example for one in taught if one is not None for example in one)
    return list(found), sum(one is None for one in taught)


def _taught_there(sessions: Sessions, theorems: Sequence[Theorem]) -> list[list[Example] | None]:
    return asyncio.run(_taught(sessions, theorems))


async def _taught(sessions: Sessions, theorems: Sequence[Theorem]) -> list[list[Example] | None]:
    """The examples of each theorem; None where no proof of it replays."""
    return [await _example(sessions, problem, candidates) for problem, candidates in theorems]


async def _example(sessions: Sessions, problem: Problem, candidates: Sequence[str]) -> list[Example] | None:
    for proof in candidates:
        steps = await replay(sessions, problem, proof)
        if steps is not None:
            return examples(steps)
    return None


def shortest_first(proofs: Iterable[tuple[Problem, str]]) -> list[Theorem]:
    """The distinct proofs of each theorem revision: by tactics, then by characters, then as they came."""
    known: dict[str, tuple[Problem, dict[str, None]]] = {}
    for problem, proof in proofs:
        known.setdefault(problem.revision, (problem, {}))[1][proof] = None
    return [(problem, sorted(found, key=_length)) for problem, found in known.values()]


def _length(proof: str) -> tuple[int, int]:
    return len(tactics_of(proof)), len(proof)
