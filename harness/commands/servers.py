"""`harness up`, `status` and `down`: the servers of a profile."""

from __future__ import annotations

import argparse
import contextlib
import socket
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from harness.commands import common
from harness.errors import InfraError, UserError
from harness.experiment import files
from harness.experiment.servers import HOST, Server, servers
from harness.processes import detached
from harness.records.journal import make_folder, read_json

_ASK_S = 2.0
_POLL_S = 0.5


def main(args: argparse.Namespace) -> int:
    """Start, look at or end the servers that the profile names."""
    spec = files.load(files.find(args.file), common.overrides(args))
    if not spec.node.servers:
        raise UserError(f"{args.file}: node.servers: names no server; list some")
    folder = (args.runs / "servers" / spec.name).absolute()
    make_folder(folder)
    found = servers(spec, folder)
    if args.command == "up":
        _up(found, folder)
    elif args.command == "down":
        for server in reversed(found):
            was = detached.stop(server.process, folder)
            print(f"{server.name}: {'ended' if was else 'was not running'}")
        return 0
    return _status(found, folder, args.json)


def _up(found: Sequence[Server], folder: Path) -> None:
    """Start what does not run, and wait. What was started here is ended again when one fails."""
    with contextlib.ExitStack() as undo:
        for server in found:
            if detached.find(server.process, folder) is None:
                _check_port(server)
                detached.start(server.process, folder)
                undo.callback(detached.stop, server.process, folder)
        for server in found:
            _wait(server, folder)
        undo.pop_all()


def _check_port(server: Server) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, server.port))
        except OSError as cause:
            raise UserError(
                f"node.servers: {server.name}: port {server.port} cannot be had: {cause.strerror}; "
                "choose another, or end what listens there"
            ) from None


def _wait(server: Server, folder: Path) -> None:
    until = time.monotonic() + server.start_timeout_s
    while not _well(server):
        if detached.find(server.process, folder) is None:
            code = (read_json(folder / f"{server.name}.exit.json") or {}).get("code", "unknown")
            raise InfraError(f"{server.name}: ended with exit code {code}: {_last_line(server)}")
        if time.monotonic() > until:
            raise InfraError(
                f"{server.name}: not well after {server.start_timeout_s:g} s; see {server.process.log}"
            )
        time.sleep(_POLL_S)


def _last_line(server: Server) -> str:
    lines = server.process.log.read_text(encoding="utf-8", errors="replace").splitlines()
    told = [line.strip() for line in lines if line.strip()]
    return f"{told[-1][:300] if told else 'it printed nothing'}; see {server.process.log}"


def _well(server: Server) -> bool:
    try:
        with urllib.request.urlopen(f"{server.url}/health", timeout=_ASK_S) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def _status(found: Sequence[Server], folder: Path, as_json: bool) -> int:
    rows = []
    for server in found:
        runs = detached.find(server.process, folder)
        state = "down" if runs is None else "up" if _well(server) else "not well"
        rows.append(
            {
                "name": server.name,
                "kind": server.kind,
                "state": state,
                "url": server.url,
                "gpus": list(server.process.gpus),
                "pid": None if runs is None else runs.pid,
                "log": str(server.process.log),
            }
        )
    if as_json:
        common.print_json(rows)
    else:
        cells = [["-" if item in (None, []) else str(item) for item in row.values()] for row in rows]
        print(common.table(tuple(rows[0]), cells))
    return 0 if all(row["state"] == "up" for row in rows) else 1
