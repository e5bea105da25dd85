"""Runs one command and leaves nothing of it behind: `python -I keeper.py EXIT LOG GRACE_S ARGV...`

Standard library alone, run as a file, because it must outlive the process that asked for it. Its standard
input is a lifeline: when that closes (the asker ended it, died, or was killed), or on SIGTERM or SIGINT, the
command gets SIGTERM and `GRACE_S` seconds, and then every descendant is killed. The same is done with what
the command leaves behind when it ends by itself. As subreaper the keeper inherits every orphan, also those
that started a session of their own, as Ray's do; on systems without subreapers it ends the process group.

EXIT becomes a JSON file, written when all is over: `code` (128 + n for signal n), `ended` (`itself` or
`stopped`), `left` (how many descendants had to be killed).
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_POLL_S = 0.1
_LINGER_S = 5.0
"""The most that what the command leaves behind gets to end by itself."""


class Keeper:
    """The command and what descends from it."""

    def __init__(self, argv: list[str], log: Path) -> None:
        self.subreaper = _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        with log.open("ab") as output:
            self._child = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_keeper,
            )
        self.code: int | None = None

    def reap(self) -> None:
        """Take note of every child that has ended, the command or an orphan of its."""
        while True:
            try:
                number, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if number == 0:
                return
            if number == self._child.pid:
                code = os.waitstatus_to_exitcode(status)
                self.code = self._child.returncode = code if code >= 0 else 128 - code

    def stop(self, grace_s: float) -> None:
        """SIGTERM to the command, which ends its own children best, and time for it to do so."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._child.pid, signal.SIGTERM)
        until = time.monotonic() + grace_s
        while self.code is None and time.monotonic() < until:
            time.sleep(_POLL_S)
            self.reap()

    def sweep(self, grace_s: float) -> int:
        """End every descendant that is left; how many had to be killed."""
        until = time.monotonic() + grace_s
        while time.monotonic() < until and self._left():
            time.sleep(_POLL_S)
            self.reap()
        killed: set[int] = set()
        while left := self._left():
            for number in left:
                killed.add(number)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
            time.sleep(_POLL_S / 5)
            self.reap()
        return len(killed)

    def _left(self) -> list[int]:
        """Descendants that still run."""
        if self.subreaper:
            return descendants(os.getpid())
        try:
            os.killpg(self._child.pid, 0)
        except (ProcessLookupError, PermissionError):
            return []
        return [-self._child.pid]


def descendants(root: int) -> list[int]:
    """Every process below `root` that is no zombie, from /proc."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError, ValueError, IndexError):
                # The name stands in brackets and may hold anything, brackets too.
                fields = (entry / "stat").read_text(encoding="latin-1").rpartition(")")[2].split()
                if fields[0] != "Z":
                    parents[int(entry.name)] = int(fields[1])
    found, wave = [], {root}
    while wave:
        wave = {number for number, parent in parents.items() if parent in wave}
        found += sorted(wave)
    return found


def _die_with_keeper() -> None:
    """Runs in the command before it starts: should the keeper be killed, the command goes with it."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> bool:
    try:
        return ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) == 0
    except (OSError, AttributeError):
        return False


def _cut(seconds: float) -> bool:
    """Whether the lifeline is cut, or cut within `seconds`."""
    ready, _, _ = select.select([0], [], [], seconds)
    return bool(ready) and os.read(0, 4096) == b""


def main(exit_file: Path, log: Path, grace_s: float, argv: list[str]) -> int:
    """Run the command to its end, or to ours."""
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, _: asked.append(got))
    try:
        keeper = Keeper(argv, log)
    except OSError as error:
        print(f"keeper: {argv[0]}: {error.strerror}", file=sys.stderr)
        return 127
    while keeper.code is None and not asked and not _cut(_POLL_S):
        keeper.reap()
    ended = "itself"
    if keeper.code is None:
        ended = "stopped"
        keeper.stop(grace_s)
    left = keeper.sweep(min(grace_s, _LINGER_S) if ended == "itself" else 0.0)
    code = 137 if keeper.code is None else keeper.code
    partial = exit_file.with_name(f"{exit_file.name}.partial")
    partial.write_text(json.dumps({"code": code, "ended": ended, "left": left}), encoding="ascii")
    partial.replace(exit_file)
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), sys.argv[4:]))
