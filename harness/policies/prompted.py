"""A policy made of a language model and a prompt family: what to ask, and what to take of the answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from harness.errors import SpecError
from harness.policies.engine import Ask, Decoding, Engine, EngineAnswer, StreamingEngine
from harness.prompts.family import Family
from harness.prompts.files import opening
from harness.prompts.prompt import Prompt, Situation
from harness.protocols import Sessions
from harness.serving.recent import Recent
from harness.types import Problem, ProofState, Proposal, Proposed, Sample, Turn, Usage

KEPT = 20_000
"""States whose proposals are kept: settings of a sweep that share a policy are compared on the same ones."""


@dataclass(frozen=True, slots=True)
class Decodings:
    """How tactics and how whole proofs are decoded."""

    tactics: Decoding
    proofs: Decoding


Premises = Callable[[Sequence[ProofState]], Awaitable[list[tuple[str, ...]]]]
"""From states to the texts of the premises of each, nearest first."""


class PromptedPolicy:
    """A `Policy`. Proofs of families that ask by the initial state need `sessions` to print it."""

    def __init__(
        self,
        engine: Engine,
        family: Family,
        decodings: Decodings,
        sessions: Sessions | None = None,
        premises: Premises | None = None,
    ) -> None:
        """`premises`: where a state's premises come from, for a family that shows them."""
        self._engine, self._family, self._how = engine, family, decodings
        self._premises = premises
        self.sessions = sessions
        """Where initial states come from; they may change from use to use, what is printed does not."""
        self._proposals: Recent[tuple[str, int, int], Proposed] = Recent(KEPT)
        self._initial: Recent[str, Prompt] = Recent(KEPT)

    async def propose(self, states: Sequence[ProofState], seeds: Sequence[int], k: int) -> list[Proposed]:
        """At most `k` distinct tactics for each (state, seed), most likely first.

        Of equal texts the likelier spelling counts; answers that were cut or hold no tactic are left out, and
        a state too long for the model gets none: that is the model's failure.
        Raises `SpecError` for a family that writes no tactics.
        """
        ask = self._family.tactic
        if ask is None:
            raise SpecError(
                f"prompt: {self._family.name} writes whole proofs, not tactics; a search needs another family"
            )
        how = self._how.tactics
        count = 1 if how.method == "greedy" else k
        near = [()] * len(states) if self._premises is None else await self._premises(states)
        asks = [
            Ask(ask(replace(situation(state), premises=known)), count, seed if how.is_random else 0)
            for state, seed, known in zip(states, seeds, near, strict=True)
        ]
        begun = [_begun(ask, state) for state in states]
        keys = [(item.prompt.key, item.seed, k) for item in asks]
        found = {key: self._proposals.get(key) for key in keys}
        owed = {
            key: (item, begin)
            for key, item, begin in zip(keys, asks, begun, strict=True)
            if found[key] is None
        }
        if owed:
            answers = await self._engine.complete([item for item, _ in owed.values()], how)
            fresh = {
                key: self._proposed(answer, k, begin)
                for (key, (_, begin)), answer in zip(owed.items(), answers, strict=True)
            }
            self._proposals.add(fresh)
            found |= fresh
        return [kept for key in keys if (kept := found[key]) is not None]

    def _proposed(self, answer: EngineAnswer, k: int, begun: str) -> Proposed:
        written = sum(len(item.logprobs) for item in answer.completions)
        usage = Usage(answer.prompt_tokens, written, truncated=bool(answer.overflow))
        return Proposed(tuple(self._distinct(answer, begun)[:k]), usage)

    def _distinct(self, answer: EngineAnswer, begun: str) -> list[Proposal]:
        best: dict[str, Proposal] = {}
        for item in sorted(answer.completions, key=lambda item: -item.logprob):
            text = self._family.read_tactic(begun + item.text).text
            if item.finish == "stop" and text and "\ufffd" not in text:
                best.setdefault(text, Proposal(text, item.logprob, len(item.logprobs)))
        return sorted(best.values(), key=lambda item: (-item.logprob, item.tactic))

    async def sample(self, problems: Sequence[Problem], seeds: Sequence[int]) -> list[Sample]:
        """One whole proof per (problem, seed); what was taken of the answer, and from where, is told with it.

        Raises `SpecError` for a family that writes no whole proofs.
        """
        found = {place: item async for place, item in self.samples(problems, seeds)}
        return [found[place] for place in range(len(problems))]

    async def samples(
        self, problems: Sequence[Problem], seeds: Sequence[int]
    ) -> AsyncIterator[tuple[int, Sample]]:
        """As `sample`, each proof with its place as soon as the engine gives it."""
        prompts = [await self._proof_prompt(problem) for problem in problems]
        async for found in self._written(prompts, seeds):
            yield found

    async def _written(
        self, prompts: Sequence[Prompt], seeds: Sequence[int]
    ) -> AsyncIterator[tuple[int, Sample]]:
        how = self._how.proofs
        asks = [
            Ask(prompt, 1, seed if how.is_random else 0) for prompt, seed in zip(prompts, seeds, strict=True)
        ]
        if isinstance(self._engine, StreamingEngine):
            async for place, answer in self._engine.answers(asks, how):
                yield place, self._sample(answer)
        else:
            for place, answer in enumerate(await self._engine.complete(asks, how)):
                yield place, self._sample(answer)

    @property
    def repairs(self) -> bool:
        """Whether the family has a way to ask again after Lean's messages."""
        return self._family.repair is not None

    async def repaired(
        self, problems: Sequence[Problem], turns: Sequence[Sequence[Turn]], seeds: Sequence[int]
    ) -> AsyncIterator[tuple[int, Sample]]:
        """For each problem another proof after those of its turns, as the engine gives it.

        Raises `SpecError` for a family without such a turn.
        """
        if self._family.repair is None:
            raise SpecError(f"prompt: {self._family.name} has no repair turn; set repair turns to 0")
        prompts = [self._family.repair(*asked) for asked in zip(problems, turns, strict=True)]
        async for found in self._written(prompts, seeds):
            yield found

    def _sample(self, answer: EngineAnswer) -> Sample:
        if answer.overflow:
            usage = Usage(answer.prompt_tokens, 0, truncated=True)
            return Sample("", "", 0.0, usage, origin=f"no answer: {answer.overflow}")
        [item] = answer.completions
        reading = self._family.read_proof(item.text)
        usage = Usage(answer.prompt_tokens, len(item.logprobs), truncated=item.finish == "length")
        return Sample(reading.text, item.text, item.logprob, usage, reading.origin, item.logprobs)

    async def _proof_prompt(self, problem: Problem) -> Prompt:
        if self._family.proof is not None:
            return self._family.proof(problem)
        if self._family.proof_at is None or self.sessions is None:
            raise SpecError(f"prompt: {self._family.name} writes tactics; whole proofs need another family")
        known = self._initial.get(problem.revision)
        if known is None:
            session = await self.sessions.open(problem)
            try:
                known = self._family.proof_at(situation(await session.start()))
            finally:
                await session.close()
            self._initial.add({problem.revision: known})
        return known


def situation(state: ProofState) -> Situation:
    """What a prompt may say of a state."""
    file = "" if state.problem is None else opening(state.problem)
    return Situation(state.goals, state.theorem, state.before, state.prefix, file=file)


def _begun(ask: Callable[[Situation], Prompt], state: ProofState) -> str:
    """What of the tactic stands in the prompt already: the prefix, where the family shows it."""
    if not state.prefix:
        return ""
    asked = situation(state)
    return "" if ask(asked) == ask(replace(asked, prefix="")) else state.prefix
