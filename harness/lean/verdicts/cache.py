"""Verdicts that were given before: asked once, kept in memory and, when a folder is given, on disk.

The address of a verdict is a hash of everything that could change it, so nothing is ever looked up under the
wrong statement, header, toolchain, level or verifier. Only PROVED and REJECTED are kept: a time-out or a
fault says something about a machine and a moment.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness import files
from harness.protocols import Candidate, Verifier
from harness.types import Fault, Level, Status, Verdict

FORMAT = "2"
"""Raise it when the meaning of a stored verdict changes."""
KEPT = frozenset({Status.PROVED, Status.REJECTED})
_IN_MEMORY = 100_000


def address(candidate: Candidate, level: Level, verifier: str) -> str:
    """Where the verdict on `candidate` is kept. `verifier` names the service, its version and its limits."""
    problem = candidate.problem
    answers = [f"{hole.name}:{hole.type}:={hole.answer}" for hole in problem.holes]
    task = [
        problem.header,
        problem.statement,
        problem.theorem,
        problem.placeholder,
        problem.toolchain,
        *answers,
    ]
    parts = [FORMAT, verifier, level.value, candidate.proof, *task]
    # In full: with a verdict at the end of it, a collision that somebody constructs must be out of reach.
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class VerdictCache:
    """Verdicts by address: a bounded number in memory, all of them in `folder` if there is one."""

    def __init__(self, folder: Path | None, in_memory: int = _IN_MEMORY) -> None:
        self._folder = folder
        self._limit = in_memory
        self._known: OrderedDict[str, Verdict] = OrderedDict()

    def get(self, key: str) -> Verdict | None:
        """The verdict at `key`, or None. A file that cannot be read as one counts as absent."""
        verdict = self._known.get(key)
        if verdict is not None:
            self._known.move_to_end(key)
            return verdict
        if self._folder is None:
            return None
        try:
            verdict = _read(json.loads(self._path(self._folder, key).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        self._remember(key, verdict)
        return verdict

    def put(self, key: str, verdict: Verdict) -> None:
        """Keep `verdict` if it is of a kind that is kept. A disk that refuses costs only the next hit."""
        if verdict.status not in KEPT:
            return
        self._remember(key, verdict)
        if self._folder is not None:
            with suppress(OSError):
                self._write(self._path(self._folder, key), verdict)

    def _remember(self, key: str, verdict: Verdict) -> None:
        self._known[key] = verdict
        if len(self._known) > self._limit:
            self._known.popitem(last=False)

    @staticmethod
    def _path(folder: Path, key: str) -> Path:
        return folder / key[:2] / f"{key[2:]}.json"

    @staticmethod
    def _write(path: Path, verdict: Verdict) -> None:
        text = json.dumps(dataclasses.asdict(verdict), ensure_ascii=False)
        # With the user's own permissions: others who share the folder read it too.
        try:
            files.replace(path, text, swept=False)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            files.replace(path, text, swept=False)


def _read(data: Mapping[str, Any]) -> Verdict:
    faults = [(fault["text"], fault["span"]) for fault in data["faults"]]
    verdict = Verdict(
        **{
            **data,
            "status": Status(data["status"]),
            "level": Level(data["level"]),
            "axioms": tuple(data["axioms"]),
            "faults": tuple(Fault(text, span and (span[0], span[1])) for text, span in faults),
        }
    )
    if verdict.status not in KEPT:
        raise ValueError(f"a verdict of status {verdict.status} is never stored")
    return verdict


class CachedVerifier:
    """A verifier that asks `inner` only about what is neither known nor being asked already."""

    def __init__(self, inner: Verifier, cache: VerdictCache, name: str) -> None:
        self._inner = inner
        self._cache = cache
        self._name = name
        self._asked: dict[str, asyncio.Future[Verdict]] = {}
        self.hits = 0
        """Candidates answered without asking `inner`."""

    async def check(self, candidates: Sequence[Candidate], level: Level) -> list[Verdict]:
        """One verdict per candidate, in order. Equal candidates get the same verdict, asked for once."""
        keys = [address(candidate, level, self._name) for candidate in candidates]
        known = {key: verdict for key in keys if (verdict := self._cache.get(key)) is not None}
        self.hits += sum(key in known for key in keys)
        wanted = dict(zip(keys, candidates, strict=True))
        missing = [key for key in wanted if key not in known]
        mine = [key for key in missing if key not in self._asked]
        others = {key: self._asked[key] for key in missing if key in self._asked}
        if mine:
            verdicts = await self._ask(mine, [wanted[key] for key in mine], level)
            known.update(zip(mine, verdicts, strict=True))
        for key, answer in others.items():
            known[key] = await self._join(answer, wanted[key], level)
        return [known[key] for key in keys]

    async def close(self) -> None:
        """Close `inner`."""
        await self._inner.close()

    async def _ask(self, keys: list[str], candidates: list[Candidate], level: Level) -> list[Verdict]:
        loop = asyncio.get_running_loop()
        promises = {key: loop.create_future() for key in keys}
        self._asked.update(promises)
        try:
            verdicts = await self._inner.check(candidates, level)
            for key, verdict in zip(keys, verdicts, strict=True):
                self._cache.put(key, verdict)
                promises[key].set_result(verdict)
            return verdicts
        finally:
            for key, promise in promises.items():
                self._asked.pop(key, None)
                promise.cancel()

    async def _join(self, answer: asyncio.Future[Verdict], candidate: Candidate, level: Level) -> Verdict:
        await asyncio.wait([answer])
        if not answer.cancelled():
            self.hits += 1
            return answer.result()
        # Whoever had asked was cancelled or failed; the question is ours now.
        return (await self.check([candidate], level))[0]
