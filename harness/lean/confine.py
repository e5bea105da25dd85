"""What a process in which candidate text runs may see and use: a bare environment, limited resources."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ServiceDown, ServiceTimeout

_PASSED_ON = frozenset(
    {"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "ELAN_HOME", "ELAN_TOOLCHAIN", "LAKE_HOME"}
    | {"LEAN_PATH", "LEAN_SYSROOT", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV"}
)

_MAX_PROCESSES = 4096
"""RLIMIT_NPROC: processes and threads of this user, ours included; stops a fork bomb only."""

_GRACE_S = 2.0
_OUT_OF_MEMORY = re.compile(r"^(INTERNAL PANIC: out of memory|.*std::bad_alloc)", re.MULTILINE)
"""What Lean and C++ programs end with, status 1 in Lean's case, when they are given no more memory."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one process may use."""

    timeout_s: float
    memory_mb: int
    """Address space (RLIMIT_AS), mapped files included."""
    file_mb: int | None = None
    """Longest file it may write (RLIMIT_FSIZE), its own output included; None for any."""


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """What a process left. `code` is negative when a signal ended it."""

    code: int
    output: str
    errors: str


def environment() -> dict[str, str]:
    """Our environment without any key or token."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def limit(pid: int, memory_mb: int, file_mb: int | None = None) -> None:
    """Bound the address space (RLIMIT_AS, of each process), the processes and the files of `pid` and its own.

    Set from outside just after the start: a preexec function is unsafe beside threads, and no candidate text
    has reached the process yet. Does nothing where the system has no prlimit or the process has ended.
    """
    try:
        import resource

        resource.prlimit(pid, resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))
        if file_mb is not None:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (file_mb << 20, file_mb << 20))
        _, hard = resource.prlimit(pid, resource.RLIMIT_NPROC)
        allowed = _MAX_PROCESSES if hard < 0 else min(hard, _MAX_PROCESSES)
        resource.prlimit(pid, resource.RLIMIT_NPROC, (allowed, allowed))
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
    except (ImportError, AttributeError, ProcessLookupError, PermissionError, ValueError):
        return


async def run(
    argv: Sequence[str], bounds: Bounds, cwd: Path | None = None, extra: Mapping[str, str] | None = None
) -> ProcessResult:
    """Run one program to its end, in a process group of its own that is ended with it.

    `extra` joins the bare environment. Raises `ServiceDown` when the program cannot be started or spends its
    memory, and `ServiceTimeout` when it does not end in time.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                cwd=cwd,
                env={**environment(), **(extra or {})},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )
        except OSError as cause:
            raise ServiceDown(f"{argv[0]} cannot be started: {cause}") from cause
        limit(process.pid, bounds.memory_mb, bounds.file_mb)
        try:
            code = await asyncio.wait_for(process.wait(), bounds.timeout_s)
        except TimeoutError as cause:
            raise ServiceTimeout(f"{argv[0]} did not end within {bounds.timeout_s:g} s") from cause
        finally:
            await _end_group(process)
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    if code != 0 and any(_OUT_OF_MEMORY.search(text) for text in texts):
        raise ServiceDown(f"{argv[0]} spent its {bounds.memory_mb} MiB of memory")
    return ProcessResult(code, *texts)


async def _end_group(process: asyncio.subprocess.Process) -> None:
    """Terminate, wait, kill: what the program started may outlive it, so its group is always ended."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except (ProcessLookupError, PermissionError):
            break
        try:
            await asyncio.wait_for(process.wait(), _GRACE_S)
        except TimeoutError:
            continue
    await process.wait()
