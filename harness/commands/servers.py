"""`harness up`, `status` and `down`: the servers of a profile."""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Sequence
from pathlib import Path

from harness.commands import common
from harness.errors import UserError
from harness.experiment import files, starting
from harness.experiment.servers import ModelServer, servers
from harness.processes import detached
from harness.records.journal import make_folder


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


def _up(found: Sequence[ModelServer], folder: Path) -> None:
    """Start what does not run, and wait. What was started here is ended again when one fails."""
    with contextlib.ExitStack() as undo:
        for server in found:
            if detached.find(server.process, folder) is None:
                if told := starting.port_taken(server):
                    raise UserError(f"node.servers: {told}")
                detached.start(server.process, folder)
                undo.callback(detached.stop, server.process, folder)
        for server in found:
            _wait(server, folder)
        undo.pop_all()


def _wait(server: ModelServer, folder: Path) -> None:
    until = time.monotonic() + server.start_timeout_s
    while not starting.well(server):
        if detached.find(server.process, folder) is None:
            raise starting.ended(server, folder)
        if time.monotonic() > until:
            raise starting.late(server)
        time.sleep(starting.POLL_S)


def _status(found: Sequence[ModelServer], folder: Path, as_json: bool) -> int:
    rows = []
    for server in found:
        runs = detached.find(server.process, folder)
        state = "down" if runs is None else "up" if starting.well(server) else "not well"
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
