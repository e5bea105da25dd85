"""The generator made at run time, as a `Policy`: tactics for batches of states, whole proofs for problems.

Deterministic: a state's proposals and a (problem, seed)'s proof do not depend on what else is in the batch,
so resumed runs and other concurrency repeat the same records. What was computed lately is kept by prompt
text, so the settings of a sweep that share a policy share its work and are compared on the same candidates.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from harness.policies import decoding, llama
from harness.policies.engine import Decoding
from harness.prompts import embedded
from harness.protocols import Sessions
from harness.serving.recent import Recent
from harness.serving.threads import results_of
from harness.spec import DecodeSpec, WholeProofSpec
from harness.types import Problem, ProofState, Proposal, Proposed, Sample, Usage

STATES_KEPT, PROOFS_KEPT = 100_000, 20_000
"""States whose tactics, and samples whose proofs are remembered (a few kilobytes each)."""


class LocalPolicy:
    """`Policy` over a checkpoint that `trainers.sft` or `trainers.grpo` wrote; runs in this process.

    Models compute in a worker thread, so that Lean and servers are served meanwhile; whoever shares a policy
    gives it one call at a time (`harness.serving.batched`). Sampling of whole proofs needs each problem's
    initial goal as the session prints it, which is how the generator was trained; `sessions` are asked for it
    once per problem.
    """

    def __init__(
        self,
        checkpoint: Path,
        decode: DecodeSpec,
        whole: WholeProofSpec,
        sessions: Sessions,
        *,
        threads: int,
        device: str = "cpu",
    ) -> None:
        """`threads`: torch's, of the whole process. Raises `UserError` for an unusable checkpoint."""
        torch.set_num_threads(threads)
        self._threads = threads
        self._model = llama.load(checkpoint, "generator", device)
        self._tokenizer = embedded.load_tokenizer(checkpoint)
        self._sessions = sessions
        self._tactic_how = self._within_context(Decoding.of(decode))
        self._proof_how = self._within_context(Decoding.of(whole))
        never = (embedded.PAD_ID, embedded.SEPARATOR_ID)
        newline = self._tokenizer.encode("\n").ids[0]
        self._tactic_ends = decoding.Ends(stops=(embedded.END_ID, newline), never=never)
        self._proof_ends = decoding.Ends(stops=(embedded.END_ID,), never=never)
        self._proposals: Recent[tuple[str, str, int, int], Proposed] = Recent(STATES_KEPT)
        self._initial: Recent[str, str] = Recent(PROOFS_KEPT)
        self._samples: Recent[tuple[str, int], Sample] = Recent(PROOFS_KEPT)

    async def propose(self, states: Sequence[ProofState], seeds: Sequence[int], k: int) -> list[Proposed]:
        """At most `k` distinct tactics for each (state, seed), most likely first; beams use no seed.

        Greedy decoding gives one.

        Log-probabilities are those of the model at temperature 1, whatever the sampling temperature.
        """
        drawn = seeds if self._tactic_how.is_random else [0] * len(states)
        pairs = zip(states, drawn, strict=True)
        keys = [(embedded.tactic_prompt(state.goals), state.prefix, seed, k) for state, seed in pairs]
        found = {key: self._proposals.get(key) for key in keys}
        owed = [key for key, kept in found.items() if kept is None]
        if owed:
            fresh = dict(zip(owed, await asyncio.to_thread(self._tactics, owed, k), strict=True))
            self._proposals.add(fresh)
            found |= fresh
        return [kept for key in keys if (kept := found[key]) is not None]

    def _tactics(self, asked: list[tuple[str, str, int, int]], k: int) -> list[Proposed]:
        torch.set_num_threads(self._threads)  # a training has set its own meanwhile
        how = self._tactic_how
        ids = [self._begun(text, prefix, how.limit) for text, prefix, _, _ in asked]
        if how.method == "beam":
            written = decoding.beam(self._model, ids, k, how.limit, self._tactic_ends)
        else:
            count = k if how.is_random else 1
            keys = [
                [f"{seed}\n{number}\n{text}{prefix}" for number in range(count)]
                for text, prefix, seed, _ in asked
            ]
            written = decoding.sample(self._model, ids, keys, how, self._tactic_ends)
        return [
            Proposed(tuple(self._distinct(found, prefix)), Usage(len(row), sum(map(_tokens, found))))
            for (_, prefix, _, _), row, found in zip(asked, ids, written, strict=True)
        ]

    def _distinct(self, found: list[decoding.Decoded], prefix: str) -> list[Proposal]:
        """Proposals with distinct texts, the likelier spelling of each; cut and undecodable ones left out."""
        best: dict[str, Proposal] = {}
        for item in sorted(found, key=lambda item: -item.logprob):
            text = prefix + self._tokenizer.decode(list(item.tokens), skip_special_tokens=False)
            text = text.strip()
            if item.stopped and text and "\ufffd" not in text:
                best.setdefault(text, Proposal(text, item.logprob, len(item.tokens) + 1))
        return sorted(best.values(), key=lambda item: (-item.logprob, item.tactic))

    async def sample(self, problems: Sequence[Problem], seeds: Sequence[int]) -> list[Sample]:
        """One whole proof per (problem, seed); the same pair gives the same sample.

        Raises `InfraError` when the session that prints a problem's initial goal fails.
        """
        found = {place: item async for place, item in self.samples(problems, seeds)}
        return [found[place] for place in range(len(problems))]

    async def samples(
        self, problems: Sequence[Problem], seeds: Sequence[int]
    ) -> AsyncIterator[tuple[int, Sample]]:
        """As `sample`, each proof with its place as soon as it has ended."""
        drawn = seeds if self._proof_how.is_random else [0] * len(problems)
        keys = [(await self._prompt(problem), seed) for problem, seed in zip(problems, drawn, strict=True)]
        places: dict[tuple[str, int], list[int]] = {}
        for place, key in enumerate(keys):
            if (kept := self._samples.get(key)) is not None:
                yield place, kept
            else:
                places.setdefault(key, []).append(place)
        if places:
            async for key, item in results_of(partial(self._proofs, list(places))):
                self._samples.add({key: item})
                for place in places[key]:
                    yield place, item

    def _proofs(
        self, asked: list[tuple[str, int]], tell: Callable[[tuple[tuple[str, int], Sample]], None]
    ) -> None:
        seeds_of: dict[str, list[int]] = {}
        for text, seed in asked:
            seeds_of.setdefault(text, []).append(seed)
        how, texts = self._proof_how, list(seeds_of)
        ids = [self._encode(text, how.limit) for text in texts]
        streams = [[f"{seed}\n{text}" for seed in seeds] for text, seeds in seeds_of.items()]

        def told(row: int, column: int, item: decoding.Decoded) -> None:
            text = texts[row]
            tell(((text, seeds_of[text][column]), self._whole_proof(item, len(ids[row]))))

        torch.set_num_threads(self._threads)  # a training has set its own meanwhile
        decoding.sample(self._model, ids, streams, how, self._proof_ends, told)

    def _whole_proof(self, item: decoding.Decoded, prompt_tokens: int) -> Sample:
        raw = self._tokenizer.decode(list(item.tokens), skip_special_tokens=False)
        usage = Usage(prompt_tokens, _tokens(item), truncated=not item.stopped)
        return Sample(raw.strip("\n"), raw, item.logprob, usage)

    async def _prompt(self, problem: Problem) -> str:
        known = self._initial.get(problem.revision)
        if known is None:
            session = await self._sessions.open(problem)
            try:
                known = embedded.tactic_prompt((await session.start()).goals)
            finally:
                await session.close()
            self._initial.add({problem.revision: known})
        return known

    def _within_context(self, how: Decoding) -> Decoding:
        """`how` with half of the context at most for what is generated."""
        return replace(how, limit=min(how.limit, self._model.context // 2))

    def _begun(self, text: str, prefix: str, room: int) -> list[int]:
        """Token ids of a prompt and of what its tactic begins with."""
        if not prefix:
            return self._encode(text, room)
        begun = list(self._tokenizer.encode(prefix).ids)
        return self._encode(text, room + len(begun)) + begun

    def _encode(self, text: str, room: int) -> list[int]:
        """Token ids of a prompt, shortened so that `room` tokens may follow within the context."""
        return embedded.encode(self._tokenizer, text, self._model.context - room)


def _tokens(item: decoding.Decoded) -> int:
    """Tokens written, the terminator included."""
    return len(item.tokens) + item.stopped
