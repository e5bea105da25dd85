"""Strict verdicts of real Lean that a second kernel has to bear out, from the compiled file.

What Lean accepted is compiled once more, as the audit's whole file, and so is the statement by itself, in a
folder where no candidate ever runs. When the processes of the candidate have ended its compiled file is
copied, and another process (`harness.lean.compiled`) judges the copy. The README of that package says what
this guarantees and what not.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

from harness.errors import BadReply, InfraError, ServiceTimeout
from harness.lean import confine
from harness.lean.compiled.olean import PARTS
from harness.lean.compiled.stated import name_text
from harness.lean.services.file import LeanCommand
from harness.lean.text.assemble import Assembly
from harness.lean.text.scopes import plain_parts
from harness.lean.verdicts.audit import new_nonce, strict_file
from harness.lean.verdicts.checking import assembled, failed, timed_out
from harness.lean.verdicts.external import stated_text
from harness.protocols import Candidate, Verifier
from harness.types import EVIDENCE, Level, Status, Verdict

TIER = "second-kernel"
MODULE = "Judged"
"""Both are compiled under this name: private names hold their module's."""

_OUTPUT_MB = 256
"""The longest compiled file that is judged."""
_START_S = 60.0
_REASONS = {"statement": "statement", "axioms": "axioms", "sorry": "sorry", "refused": "kernel"}


@dataclass(frozen=True, slots=True)
class JudgeLimits:
    """What judging may use."""

    workers: int = 1
    timeout_s: float = 60.0
    """For each compilation of a candidate, and for each judging."""
    memory_mb: int = 8192
    index_s: float = 3600.0
    """For the first batch against a library: its index is made then."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    target: Path
    candidate: Path
    check_name: str


class SecondKernel:
    """A verifier whose strict PROVED also needs the project's own kernel to accept the compiled file."""

    def __init__(
        self,
        inner: Verifier,
        lean: LeanCommand,
        indexes: Path,
        limits: JudgeLimits,
        heartbeats: int = 200_000,
    ) -> None:
        self._inner, self._lean, self._indexes = inner, lean, indexes
        self._limits, self._heartbeats = limits, heartbeats
        self._turns = asyncio.Semaphore(limits.workers)
        self._targets: dict[str, Path] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="harness-targets-")
        self._roots: list[Path] = []

    async def check(self, candidates: Sequence[Candidate], level: Level) -> list[Verdict]:
        """One verdict per candidate, in order. The fast level is the inner verifier's alone."""
        verdicts = list(await self._inner.check(candidates, level))
        if level is Level.FAST:
            return verdicts
        asked = [k for k, verdict in enumerate(verdicts) if verdict.status is Status.PROVED]
        with tempfile.TemporaryDirectory(prefix="harness-judged-") as made:
            folder = Path(made)
            places = [folder / str(k) for k in asked]
            pairs = zip(asked, places, strict=True)
            compiled = await asyncio.gather(
                *(self._turn(assembled(candidates[k], self._heartbeats), place) for k, place in pairs)
            )
            for k, found in zip(asked, compiled, strict=True):
                if isinstance(found, Verdict):
                    verdicts[k] = _kept(verdicts[k], found)
            left = [(k, f) for k, f in zip(asked, compiled, strict=True) if isinstance(f, _Compiled)]
            if left:
                names = [_in_files(assembled(candidates[k], self._heartbeats).stated_name) for k, _ in left]
                answers = await self._judged(folder, [f for _, f in left], names)
                for (k, _), answer in zip(left, answers, strict=True):
                    verdicts[k] = _strengthened(verdicts[k], answer)
        return verdicts

    async def close(self) -> None:
        """Stop the inner verifier, and forget the compiled statements."""
        await self._inner.close()
        self._folder.cleanup()

    # ------------------------------------------------------------ compiling
    async def _turn(self, assembly: Assembly, place: Path) -> _Compiled | Verdict:
        async with self._turns:
            try:
                found = await self._compiled(assembly, place)
                if isinstance(found, Verdict) and found.reason == "error" and assembly.other is not None:
                    # Which reading of the answer was proved is not told: it is the one that compiles.
                    found = await self._compiled(assembly.other, place)
                return found
            except InfraError as cause:
                return failed(Level.STRICT, cause)

    async def _compiled(self, assembly: Assembly, place: Path) -> _Compiled | Verdict:
        """Both files, or the verdict that there is nothing to judge. Raises `InfraError` kinds."""
        if assembly.supplied:
            return _declined("the candidate gave the answer: no statement stands without its text")
        target = await self._target(assembly)
        sheet = strict_file(assembly, new_nonce())
        with tempfile.TemporaryDirectory(prefix="harness-lean-") as made:
            try:
                done = await self._run_lean(Path(made), sheet.text, self._limits.timeout_s)
            except ServiceTimeout as late:
                return timed_out(Level.STRICT, str(late))
            if done.code == 1:
                return _rejected("error", done.output.strip()[:500])
            # No process of the candidate's is left. What it wrote is copied, and only the copy is read.
            trouble = _copied(Path(made), place)
            if trouble:
                return _rejected("evidence", trouble)
        return _Compiled(target, place / f"{MODULE}.olean", sheet.marks.name)

    async def _target(self, assembly: Assembly) -> Path:
        """The statement compiled alone, once. Raises `BadReply` when Lean does not accept it."""
        text = stated_text(assembly)
        if text not in self._targets:
            folder = Path(self._folder.name) / str(len(self._targets))
            self._targets[text] = folder / f"{MODULE}.olean"  # the turn of this one, whoever comes next
            folder.mkdir()
            done = await self._run_lean(folder, text, max(5 * self._limits.timeout_s, _START_S))
            if done.code != 0:
                del self._targets[text]
                raise BadReply(f"the benchmark's own text fails on this Lean: {done.output.strip()[:300]}")
        return self._targets[text]

    async def _run_lean(self, folder: Path, text: str, timeout_s: float) -> confine.ProcessResult:
        source = folder / f"{MODULE}.lean"
        source.write_text(text, encoding="utf-8", newline="")
        options = ["-R", str(folder), "-o", str(folder / f"{MODULE}.olean"), str(source)]
        bounds = confine.Bounds(timeout_s, self._limits.memory_mb, _OUTPUT_MB)
        done = await confine.run([*self._lean.argv, *options], bounds, self._lean.cwd or folder)
        if done.code not in (0, 1):
            raise BadReply(f"lean ended with status {done.code}: {done.errors.strip()[-300:]}")
        return done

    # ------------------------------------------------------------ judging
    async def _judged(
        self, folder: Path, cases: Sequence[_Compiled], names: Sequence[str]
    ) -> list[dict[str, Any] | InfraError]:
        """What the other process says of each; an error where it says nothing."""
        job, limits = folder / "job.json", self._limits
        try:
            if not self._roots:
                self._roots = await library_roots(self._lean, limits.memory_mb)
            listed = [
                {
                    "target": str(case.target),
                    "target_name": name,
                    "candidate": str(case.candidate),
                    "check_name": case.check_name,
                }
                for case, name in zip(cases, names, strict=True)
            ]
            data = {
                "roots": list(map(str, self._roots)),
                "indexes": str(self._indexes),
                "timeout_s": limits.timeout_s,
            }
            job.write_text(json.dumps({**data, "cases": listed}), encoding="utf-8")
            bounds = confine.Bounds(limits.index_s + limits.timeout_s * len(cases), limits.memory_mb)
            done = await confine.run([sys.executable, "-m", "harness.lean.compiled", str(job)], bounds)
            lines = map(json.loads, done.output.splitlines())
            answers = [BadReply(line["fault"]) if "fault" in line else line for line in lines]
        except InfraError as cause:
            return [cause] * len(cases)
        fault = BadReply(f"the judging process ended early: {done.errors.strip()[-300:]}")
        return [*answers, *[fault] * (len(cases) - len(answers))]


async def library_roots(lean: LeanCommand, memory_mb: int = 8192) -> list[Path]:
    """Folders in which Lean finds modules, first one first; a project's own come before the library.

    Raises `InfraError` kinds.
    """
    bounds = confine.Bounds(_START_S, memory_mb)
    library = await confine.run([*lean.argv, "--print-libdir"], bounds, lean.cwd)
    if lean.argv[:1] == ("lake",):
        path = (await confine.run(["lake", "env", "printenv", "LEAN_PATH"], bounds, lean.cwd)).output
    else:
        path = os.environ.get("LEAN_PATH", "")
    if library.code != 0 or not library.output.strip():
        raise BadReply(f"lean --print-libdir says {library.output.strip() or library.errors.strip()}")
    found = [Path(p) for p in path.strip().split(os.pathsep) if p] + [Path(library.output.strip())]
    return [p if p.is_absolute() or lean.cwd is None else lean.cwd / p for p in found]


def _in_files(name: str) -> str:
    """A name as written, in the one spelling that the reader of compiled files has for it."""
    return reduce(name_text, plain_parts(name), "")


def _copied(source: Path, place: Path) -> str:
    """Copy the parts of the compiled module, plain files and no links. What is wrong, or nothing."""
    place.mkdir()
    for end in PARTS:
        part = source / f"{MODULE}{end}"
        if part.is_symlink() or (end == PARTS[0] and not part.is_file()):
            return f"no plain file {part.name} was left"
        if part.is_file():
            if part.stat().st_size > _OUTPUT_MB << 20:
                return f"{part.name} is longer than {_OUTPUT_MB} MiB"
            shutil.copyfile(part, place / part.name, follow_symlinks=False)
    return ""


def _rejected(reason: str, detail: str) -> Verdict:
    return Verdict(Status.REJECTED, reason, detail, level=Level.STRICT, tier=TIER)


def _declined(why: str) -> Verdict:
    return Verdict(Status.INFRA, "declined", why, level=Level.STRICT)


def _kept(before: Verdict, found: Verdict) -> Verdict:
    return replace(found, verifier=before.verifier, seconds=before.seconds)


def _strengthened(before: Verdict, answer: dict[str, Any] | InfraError) -> Verdict:
    """The verdict after the second kernel had its say."""
    if isinstance(answer, InfraError):
        return _kept(before, failed(Level.STRICT, answer))
    found, detail, axioms = answer["found"], answer["detail"], tuple(answer["axioms"])
    if found == "proved":
        order, verdict = list(EVIDENCE), replace(before, axioms=axioms)
        weaker = order.index(before.tier) < order.index(TIER)
        return replace(verdict, tier=TIER) if weaker else verdict
    if found in _REASONS:
        verdict = Verdict(Status.REJECTED, _REASONS[found], detail, axioms, Level.STRICT, tier=TIER)
        return _kept(before, verdict)
    return _kept(before, _declined(f"{found}: {detail}"))
