"""Verdicts from plain `lean`: one process a check, header and candidate in one file, messages as JSON.

The simplest thing that a user with any Lean project has: no REPL, no server, nothing kept between two checks,
so a header is imported anew for each. Exit status 0 goes with no error, 1 with some; any other status, and
anything but messages on standard output, is the machine's failure.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import BadReply, ServiceDown, ServiceTimeout, UserError
from harness.lean import confine
from harness.lean.services.repl import LAKEFILES
from harness.lean.text.assemble import Assembly
from harness.lean.verdicts.audit import fast_file, new_nonce, strict_file
from harness.lean.verdicts.checking import judged, sound_header, timed_out, tried
from harness.lean.verdicts.evidence import judge_fast, judge_strict
from harness.lean.verdicts.replies import Reply, read_output
from harness.protocols import Candidate
from harness.types import Level, Status, Verdict

NAME = "file"
_HEADER_S = 60.0
_OUTPUT_MB = 64


@dataclass(frozen=True, slots=True)
class LeanCommand:
    """How `lean` is started."""

    argv: tuple[str, ...]
    cwd: Path | None = None

    @classmethod
    def of_project(cls, project: str) -> LeanCommand:
        """`lake env lean` in a Lean project, else the `lean` of the folder: its own or its `bin`'s.

        Raises `UserError` when the folder has neither.
        """
        folder = Path(project).expanduser().resolve()
        if any((folder / name).is_file() for name in LAKEFILES):
            return cls(("lake", "env", "lean"), folder)
        for program in (folder / "bin" / "lean", folder / "lean"):
            if program.is_file() and os.access(program, os.X_OK):
                return cls((str(program),))
        raise UserError(
            f"lean.project: {project} holds neither a lakefile nor bin/lean; "
            "give the folder of a Lean project or of a Lean installation"
        )


@dataclass(frozen=True, slots=True)
class FileLimits:
    """What the checks may use."""

    workers: int = 1
    """Processes at once."""
    timeout_s: float = 60.0
    """For the candidate's text; what the header alone takes comes on top."""
    memory_mb: int = 8192
    """Address space of one process, mapped library files included."""
    max_attempts: int = 3


class FileVerifier:
    """Verdicts from one `lean` process each."""

    def __init__(self, command: LeanCommand, limits: FileLimits, heartbeats: int = 200_000) -> None:
        self._command = command
        self._limits = limits
        self._heartbeats = heartbeats
        self._turns = asyncio.Semaphore(limits.workers)
        self._headers: dict[str, float] = {}
        """Seconds that a header alone takes, of those that Lean accepted."""
        self._stated: set[str] = set()
        """Headers with statements that Lean accepted."""

    async def check(self, candidates: Sequence[Candidate], level: Level) -> list[Verdict]:
        """One verdict per candidate, in order; as many at a time as there are workers."""
        beats = self._heartbeats

        def ask(reading: Assembly) -> Awaitable[Verdict]:
            return self._ask(reading, level)

        return list(await asyncio.gather(*(judged(item, beats, level, ask, NAME) for item in candidates)))

    async def close(self) -> None:
        """Nothing outlives a check."""

    async def ask(self, header: str, text: str) -> Reply:
        """Lean's answer to a text that begins with `header`.

        Raises `ServiceTimeout` for a text that took too long, other `InfraError` kinds for a failed process.
        """
        async with self._turns:
            return await self._lean(text, self._limits.timeout_s + 2 * await self._header(header))

    async def _ask(self, assembly: Assembly, level: Level) -> Verdict:
        """The verdict, with its seconds since it had its turn."""
        async with self._turns:
            started = time.perf_counter()
            attempts = self._limits.max_attempts
            verdict = await tried(level, attempts, lambda: self._attempt(assembly, level))
            return replace(verdict, seconds=time.perf_counter() - started)

    async def _attempt(self, assembly: Assembly, level: Level) -> Verdict:
        allowed = self._limits.timeout_s + 2 * await self._header(assembly.header)
        strict = level is Level.STRICT
        sheet = (strict_file if strict else fast_file)(assembly, new_nonce())
        try:
            reply = await self._lean(sheet.text, allowed)
        except ServiceTimeout as late:
            return timed_out(level, str(late))
        if strict:
            return judge_strict(assembly, sheet, reply)
        verdict = judge_fast(assembly, sheet, reply)
        if verdict.status is Status.REJECTED and sheet.target is None and not assembly.supplied:
            # No target stood before the candidate: was it the candidate that failed, or our statement?
            await self._statement(assembly)
        return verdict

    async def _header(self, header: str) -> float:
        """Seconds that `header` takes. Raises `BadReply` when Lean does not accept it."""
        if header not in self._headers:
            started = time.perf_counter()
            sound_header(await self._lean(header, max(5 * self._limits.timeout_s, _HEADER_S)))
            self._headers[header] = time.perf_counter() - started
        return self._headers[header]

    async def _statement(self, assembly: Assembly) -> None:
        """Raises `BadReply` when Lean does not accept the benchmark's own statement."""
        text = assembly.header + assembly.holes + assembly.target
        if text not in self._stated:
            sound_header(await self._lean(text, max(5 * self._limits.timeout_s, _HEADER_S)))
            self._stated.add(text)

    async def _lean(self, text: str, timeout_s: float) -> Reply:
        """What Lean says to a file. Raises `InfraError` kinds."""
        bounds = confine.Bounds(timeout_s, self._limits.memory_mb, _OUTPUT_MB)
        with tempfile.TemporaryDirectory(prefix="harness-lean-") as made:
            file = Path(made) / "Check.lean"
            file.write_text(text, encoding="utf-8", newline="")
            argv = [*self._command.argv, "--json", str(file)]
            done = await confine.run(argv, bounds, self._command.cwd, {"LEAN_ABORT_ON_PANIC": "1"})
        if done.code not in (0, 1):
            raise ServiceDown(f"lean ended with status {done.code}: {done.errors.strip()[-300:]}")
        reply = read_output(done.output)
        if bool(reply.errors) != bool(done.code):
            raise BadReply(f"lean ended with status {done.code} after {len(reply.errors)} errors")
        return reply
