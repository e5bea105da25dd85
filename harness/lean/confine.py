"""What a process in which candidate text runs may see and use: a bare environment, limited resources."""

from __future__ import annotations

import os

_PASSED_ON = frozenset(
    {"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "ELAN_HOME", "ELAN_TOOLCHAIN", "LAKE_HOME"}
    | {"LEAN_PATH", "LEAN_SYSROOT", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV"}
)

_MAX_PROCESSES = 4096
"""RLIMIT_NPROC: processes and threads of this user, ours included; stops a fork bomb only."""


def environment() -> dict[str, str]:
    """Our environment without any key or token."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def limit(pid: int, memory_mb: int) -> None:
    """Bound the address space (RLIMIT_AS, of each process) and the processes of `pid` and what it starts.

    Set from outside just after the start: a preexec function is unsafe beside threads, and no candidate text
    has reached the process yet. Does nothing where the system has no prlimit or the process has ended.
    """
    try:
        import resource

        resource.prlimit(pid, resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))
        _, hard = resource.prlimit(pid, resource.RLIMIT_NPROC)
        allowed = _MAX_PROCESSES if hard < 0 else min(hard, _MAX_PROCESSES)
        resource.prlimit(pid, resource.RLIMIT_NPROC, (allowed, allowed))
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
    except (ImportError, AttributeError, ProcessLookupError, PermissionError, ValueError):
        return
