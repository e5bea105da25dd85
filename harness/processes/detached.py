"""Processes that go on when the command that started them has ended; found again by what was noted of them.

Each runs under its keeper as any other, and the keeper's lifeline is a pipe that it holds open itself. A
number may be another process's by now, so a keeper is known by its number and the moment it started.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import StoreError
from harness.processes.kept import KEEPER, Process, environment, exit_file

GRACE_S = 20.0
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Noted:
    """A keeper that was started."""

    pid: int
    started: int
    """Clock ticks after the machine's start."""

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return _started(self.pid) == self.started


def start(process: Process, folder: Path) -> Noted:
    """Start `process` and note it in `folder`."""
    told = exit_file(process, folder)
    told.unlink(missing_ok=True)
    process.log.touch()
    own_end, our_end = os.pipe()
    argv = [sys.executable, "-I", str(KEEPER), str(told), str(process.log), str(GRACE_S), *process.argv]
    try:
        keeper = subprocess.Popen(
            argv,
            stdin=own_end,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Holding the other end as well, the keeper never finds its lifeline cut.
            pass_fds=(our_end,),
            env=environment(process),
            start_new_session=True,
        )
    finally:
        os.close(own_end)
        os.close(our_end)
    noted = Noted(keeper.pid, _started(keeper.pid) or 0)
    _note(process, folder).write_text(json.dumps({"pid": noted.pid, "started": noted.started}))
    keeper.returncode = 0  # It is nobody's to wait for any more.
    return noted


def find(process: Process, folder: Path) -> Noted | None:
    """What was noted of `process` in `folder`, if it still runs. Raises `StoreError` for a broken note."""
    path = _note(process, folder)
    try:
        told: Mapping[str, int] = json.loads(path.read_text(encoding="utf-8"))
        noted = Noted(int(told["pid"]), int(told["started"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise StoreError(f"{path}: no note of a process ({cause}); delete it") from cause
    return noted if noted.alive else None


def stop(process: Process, folder: Path) -> bool:
    """End `process` and all that descends from it; whether there was any."""
    noted = find(process, folder)
    if noted is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(noted.pid, signal.SIGTERM)
        until = time.monotonic() + GRACE_S + 20.0
        while noted.alive:
            if time.monotonic() > until:
                raise StoreError(f"{process.name}: process {noted.pid} does not end; kill it by hand")
            time.sleep(_POLL_S)
    _note(process, folder).unlink(missing_ok=True)
    return noted is not None


def _note(process: Process, folder: Path) -> Path:
    return folder / f"{process.name}.process.json"


def _started(pid: int) -> int | None:
    """When a process started; None for one that is gone, or has ended and was not waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])
