"""Servers that come up: whether their ports are free, whether they are well, and why one is not."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Sequence
from pathlib import Path

from harness.errors import InfraError
from harness.experiment.servers import HOST, ModelServer
from harness.processes.kept import exit_file
from harness.records.journal import read_json
from harness.serving import health

POLL_S = 0.5
_ASK_S = 2.0
_SHOWN = 300
_ERROR = re.compile(r"\b\w*(?:Error|Exception): .+")
_WRAPS = re.compile(r"EngineDeadError|[Ss]ee root cause above")


def port_taken(server: ModelServer, until: float = 0.0) -> str | None:
    """Why its port cannot be had, in a line; None when it can, now or `until` (monotonic seconds)."""
    while (told := _taken(server)) is not None and time.monotonic() < until:
        time.sleep(POLL_S)
    return told


def _taken(server: ModelServer) -> str | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, server.port))
        except OSError as cause:
            return (
                f"{server.name}: port {server.port} cannot be had: {cause.strerror}; "
                "choose another, or end what listens there"
            )
    return None


def well(server: ModelServer) -> bool:
    """Whether it says so."""
    try:
        return health.status(server.url, _ASK_S) == 200
    except (OSError, ValueError):
        return False


def ended(server: ModelServer, folder: Path) -> InfraError:
    """That it ended, with its exit code, which its keeper left in `folder`, and its last words."""
    code = (read_json(exit_file(server.process, folder)) or {}).get("code", "unknown")
    said = _last_words(_printed(server))
    return InfraError(f"{server.name}: ended with exit code {code}: {said}; see {server.process.log}")


def late(server: ModelServer) -> InfraError:
    """That it took too long."""
    return InfraError(f"{server.name}: not well after {server.start_timeout_s:g} s; see {server.process.log}")


def last_line(server: ModelServer) -> str:
    """What it printed last, 300 characters at most; empty before."""
    told = _printed(server)
    return told[-1][:_SHOWN] if told else ""


def _printed(server: ModelServer) -> list[str]:
    if not server.process.log.is_file():
        return []
    lines = server.process.log.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line.strip() for line in lines if line.strip()]


def _last_words(lines: Sequence[str]) -> str:
    """The line that says best why a server died: its last error, but not the one that others wrap it in."""
    errors = [found[0] for line in lines if (found := _ERROR.search(line)) and not _WRAPS.search(line)]
    return (errors or [*lines] or ["it printed nothing"])[-1][:_SHOWN]
