"""One REPL process: started with limits, asked one thing at a time, killed at the first surprise.

Requests are one line of JSON and a blank line; an answer is JSON over any number of lines, then a blank line.
Nothing in the protocol ties an answer to its request, so a process whose answers may be out of step (after a
time-out, a surplus block, text that is no JSON, a cancelled caller) is never asked again.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import secrets
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadReply, ServiceDown, ServiceTimeout, UserError
from harness.lean import confine
from harness.lean.verdicts.replies import Reply, in_step, read_reply

INTERACT = "lean-interact"
LAKEFILES = ("lakefile.lean", "lakefile.toml")
"""A folder with one of them is a Lean project, in which `lake` starts the programs."""
_BINARY = Path(".lake") / "build" / "bin" / "repl"
_STDERR_KEPT = 4096
_CHUNK = 1 << 16


Request = Mapping[str, object]
"""One request of the protocol."""


@dataclass(frozen=True, slots=True)
class Program:
    """How one REPL process is started and what it may use."""

    argv: tuple[str, ...]
    cwd: Path | None = None
    memory_mb: int = 8192
    """Address space (RLIMIT_AS), memory-mapped .olean files included; Lean stops itself when it is spent."""
    max_reply_mb: int = 64
    """An answer longer than this is a fault."""

    @classmethod
    def of_core(cls, memory_mb: int = 8192) -> Program:
        """The embedded core's own REPL program."""
        return cls((sys.executable, "-m", "harness.lean.core"), None, memory_mb)

    @classmethod
    def of_project(cls, project: str, memory_mb: int = 8192) -> Program:
        """A REPL in a Lean project: its own, else lean-interact's for its toolchain, else `repl`.

        The project `lean-interact` is lean-interact's newest REPL in its own folder, without Mathlib. Raises
        `UserError` when there is no such project or REPL.
        """
        if project == INTERACT:
            found = interact_repls()
            if not found:
                raise UserError(
                    f"lean.project: {INTERACT} has built no REPL here; give a Lean project's folder"
                )
            return cls(("lake", "env", str(found[-1])), found[-1].parents[3], memory_mb)
        folder = Path(project).expanduser().resolve()
        if not any((folder / name).is_file() for name in LAKEFILES):
            raise UserError(
                f"lean.project: {project} holds no lakefile; give the folder of a Lean project with `repl`"
            )
        own = folder / ".lake" / "packages" / "REPL" / _BINARY
        if own.is_file():
            return cls(("lake", "env", str(own)), folder, memory_mb)
        same = [path for path in interact_repls() if _toolchain(path.parents[3]) == _toolchain(folder) != ""]
        return cls(("lake", "env", str(same[-1]) if same else "repl"), folder, memory_mb)


def interact_repls() -> list[Path]:
    """REPL binaries that an installed lean-interact has built, oldest first."""
    spec = importlib.util.find_spec("lean_interact")
    if spec is None or spec.origin is None:
        return []
    found = (Path(spec.origin).parent / "cache").glob(f"*/*/repl_*/{_BINARY}")
    return sorted(found, key=lambda path: path.stat().st_mtime)


def _toolchain(folder: Path) -> str:
    file = folder / "lean-toolchain"
    return file.read_text(encoding="utf-8").strip() if file.is_file() else ""


class ReplProcess:
    """One running REPL. Not for concurrent use: the pool lends it to one caller at a time."""

    def __init__(self, process: asyncio.subprocess.Process, program: Program) -> None:
        self._process = process
        self._program = program
        self._buffer = bytearray()
        self._stderr = bytearray()
        self._arrived = asyncio.Event()
        self._ended = False
        self._readers = (
            asyncio.create_task(self._read_stdout()),
            asyncio.create_task(self._drain_stderr()),
        )
        self._trusted = True
        self.asked = 0
        """Requests sent so far."""

    @classmethod
    async def start(cls, program: Program) -> ReplProcess:
        """Start one. Raises `ServiceDown` when the program cannot be run."""
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *program.argv,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                cwd=program.cwd,
                env={**confine.environment(), "LEAN_ABORT_ON_PANIC": "1"},
                start_new_session=True,
            )
        except OSError as cause:
            raise ServiceDown(f"cannot start {program.argv[0]}: {cause}") from cause
        confine.limit(process.pid, program.memory_mb)
        return cls(process, program)

    @property
    def alive(self) -> bool:
        """Running, and every answer so far was in step with its request."""
        return self._trusted and self._process.returncode is None

    @property
    def pid(self) -> int:
        """Process id; also the id of its own process group."""
        return self._process.pid

    @property
    def stderr_tail(self) -> str:
        """The last few kilobytes that it wrote to stderr."""
        return self._stderr.decode(errors="replace")

    def own_mb(self) -> float | None:
        """Resident memory in MiB, mapped files (Mathlib's are shared) left out; None without /proc."""
        try:
            fields = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()
            pages = int(fields[1]) - int(fields[2])
        except (OSError, ValueError, IndexError):
            return None
        return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)

    async def ask(self, request: Request, timeout_s: float) -> Reply:
        """Send one request and read its answer.

        Raises `ServiceTimeout` when `timeout_s` seconds pass, `ServiceDown` when the process has ended and
        `BadReply` when the answer is none. After any of them, and when the caller is cancelled, it is killed.
        """
        return (await self.ask_all([request], timeout_s))[0][1]

    async def ask_all(
        self, requests: Sequence[Request], timeout_s: float
    ) -> list[tuple[dict[str, object], Reply]]:
        """Send several requests at once, so that the REPL need not wait for us in between; raises as `ask`.

        Each answer as sent and as read, in order.
        """
        if not self.alive:
            raise ServiceDown(f"the REPL process has ended{self._last_words()}")
        answered = False
        try:
            async with asyncio.timeout(timeout_s):
                answers = await self._exchange(requests)
            answered = True
            return answers
        except TimeoutError as cause:
            raise ServiceTimeout(f"the REPL gave no answer in {timeout_s:g} s") from cause
        finally:
            if not answered:
                self.kill()

    async def resync(self, env: int, timeout_s: float) -> None:
        """Prove that answers and requests are in step, by a question whose answer nobody could have prepared.

        Raises `BadReply` (process killed) when they are not, else what `ask` raises.
        """
        number = str(secrets.randbits(48))
        reply = await self.ask({"cmd": f"#check ({number} : Nat)", "env": env}, timeout_s)
        if not in_step(reply, number):
            self.kill()
            raise BadReply("the REPL's answers are out of step with the questions")

    def kill(self) -> None:
        """End the process and its group at once. Harmless when it has ended."""
        self._trusted = False
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def close(self) -> None:
        """Kill it and wait until it is gone."""
        self.kill()
        await self._process.wait()
        await asyncio.gather(*self._readers)

    async def _exchange(self, requests: Sequence[Request]) -> list[tuple[dict[str, object], Reply]]:
        assert self._process.stdin is not None
        if self._buffer.strip():
            raise BadReply("the REPL wrote a block that nobody asked for")
        self.asked += len(requests)
        lines = (json.dumps(request, ensure_ascii=False) + "\n\n" for request in requests)
        try:
            self._process.stdin.write("".join(lines).encode())
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError) as cause:
            raise ServiceDown(f"the REPL process has ended{self._last_words()}") from cause
        answers = [_parsed(await self._read_block()) for _ in requests]
        if self._buffer.strip():
            raise BadReply("the REPL wrote more blocks than it was asked for")
        return answers

    async def _read_block(self) -> bytes:
        searched = 0
        while True:
            if self._buffer[:1].isspace():
                self._buffer[:] = self._buffer.lstrip()
                searched = 0
            end = self._buffer.find(b"\n\n", max(0, searched - 1))
            if end >= 0:
                block = bytes(self._buffer[:end])
                del self._buffer[: end + 2]
                return block
            searched = len(self._buffer)
            if searched > self._program.max_reply_mb << 20:
                raise BadReply(f"the REPL's answer is longer than {self._program.max_reply_mb} MiB")
            if self._ended:
                await self._process.wait()
                raise ServiceDown(f"the REPL process ended without an answer{self._last_words()}")
            self._arrived.clear()
            await self._arrived.wait()

    async def _read_stdout(self) -> None:
        # Reads all the time and in chunks: a block that nobody asked for is then seen before the next
        # question, and a line may be longer than StreamReader.readline allows.
        assert self._process.stdout is not None
        while chunk := await self._process.stdout.read(_CHUNK):
            self._buffer += chunk
            self._arrived.set()
            if len(self._buffer) > (self._program.max_reply_mb + 1) << 20:
                self.kill()
        self._ended = True
        self._arrived.set()

    async def _drain_stderr(self) -> None:
        assert self._process.stderr is not None
        while chunk := await self._process.stderr.read(_CHUNK):
            self._stderr += chunk
            del self._stderr[:-_STDERR_KEPT]

    def _last_words(self) -> str:
        code, words = self._process.returncode, self.stderr_tail.strip().splitlines()
        said = f": {words[-1][:300]}" if words else ""
        return f" (exit code {code}){said}" if code is not None else said


def _parsed(block: bytes) -> tuple[dict[str, object], Reply]:
    try:
        answer = json.loads(block)
    except (ValueError, RecursionError) as cause:
        raise BadReply(f"the REPL's answer is no JSON: {block[:120]!r}") from cause
    reply = read_reply(answer)
    return answer, reply
