"""The servers that a run starts by itself: up while their checkpoint is asked, ended before it trains.

Each runs under a keeper whose lifeline this process holds: whatever becomes of it, nothing of them is left.
"""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from harness import devices
from harness.errors import UserError
from harness.experiment import served, starting
from harness.experiment.gpus import visible
from harness.experiment.servers import ModelServer, ToServe, of_run
from harness.experiment.spec import ExperimentSpec
from harness.processes.kept import kept
from harness.records.journal import make_folder
from harness.terminal.log import Logged
from harness.terminal.progress import Display, Task

SERVERS = "servers"
"""Folder of their logs, within that of the stage or run that they were started for."""
GRACE_S = 15.0
"""Between SIGTERM and SIGKILL."""
PATIENCE_S = GRACE_S + 5.0
"""For the ports of servers whose run was killed a moment ago."""
_SHOWN = 90
"""Characters of a server's last line."""

Result = TypeVar("Result")


@dataclass(slots=True)
class _Up:
    """A server that was started."""

    server: ModelServer
    folder: Path
    keeper: subprocess.Popen[bytes]
    undo: ExitStack


@dataclass(slots=True)
class RunServers:
    """All servers of this process."""

    lasting: bool = False
    """Whether they stay when an experiment ends: the next point of a sweep may ask the same checkpoint."""
    _up: list[_Up] = field(default_factory=list)

    @property
    def ports(self) -> set[int]:
        """Where they listen."""
        return {up.server.port for up in self._up}

    def urls(self, checkpoint: str) -> tuple[str, ...]:
        """The servers of a checkpoint, by its folder."""
        return tuple(up.server.url for up in self._up if up.server.model == checkpoint)

    def serve(self, spec: ExperimentSpec, asked: ToServe, folder: Path, display: Display | Logged) -> None:
        """Have `asked` served; what runs already for it stays. Logs lie in `folder`. Blocks.

        Raises `UserError` for ports and GPUs that cannot be had and for a server of other weights,
        `InfraError` for one that does not come up or gives no answer; then none is left.
        """
        wanted = of_run(spec, asked, visible(), folder.absolute())
        with ExitStack() as undo:
            undo.callback(self.stop)
            dead = [up for up in self._up if up.keeper.poll() is not None]
            for up in dead:
                display.note(f"{starting.ended(up.server, up.folder)}; all servers are started anew")
            if dead or any(not self._runs(item) for item in wanted if item.kind == "generator"):
                self.stop()
            for kind in ("generator", "value"):  # One after the other: vLLM measures the memory that is free.
                owed = [item for item in wanted if item.kind == kind and not self._runs(item)]
                if owed:
                    self._stop([up for up in self._up if up.server.kind == kind])
                    self._start(owed, spec, folder.absolute(), display)
            undo.pop_all()  # All are up: nothing is to be undone.

    def _runs(self, server: ModelServer) -> bool:
        return any(up.server.process.argv == server.process.argv for up in self._up)

    def _start(
        self, owed: Sequence[ModelServer], spec: ExperimentSpec, folder: Path, display: Display | Logged
    ) -> None:
        make_folder(folder)
        devices.give_back()
        until = time.monotonic() + PATIENCE_S
        for server in owed:
            if told := starting.port_taken(server, until):
                raise UserError(f"node.serving.port: {told}")
        names = ", ".join(dict.fromkeys(server.name_served for server in owed))
        with display.task(f"{len(owed)} vLLM server{'s' if len(owed) > 1 else ''} of {names}") as task:
            for server in owed:
                log, undo = server.process.log, ExitStack()
                if log.exists():  # Its last words are none of those of the one that starts now.
                    log.replace(log.with_suffix(".before.log"))
                keeper = undo.enter_context(kept(server.process, folder, GRACE_S))
                self._up.append(_Up(server, folder, keeper, undo))
            self._wait(owed, task)
            asyncio.run(self.watched(served.probe(owed, spec)))
            task.note = f"on port{'s' if len(owed) > 1 else ''} {_ports(owed)}; logs in {folder}"
            task.update(len(owed), len(owed))

    def _wait(self, owed: Sequence[ModelServer], task: Task) -> None:
        """Until all are well; shows what the first that is not prints."""
        waiting = list(owed)
        while waiting := [server for server in waiting if not starting.well(server)]:
            self.check()
            late = [item for item in waiting if task.elapsed > item.start_timeout_s]
            if late:
                raise starting.late(late[0])
            task.note = starting.last_line(waiting[0])[:_SHOWN]
            task.update(len(owed) - len(waiting), len(owed))
            time.sleep(starting.POLL_S)

    def check(self) -> None:
        """Raise `InfraError` when one of them has ended by itself, with its last words."""
        for up in self._up:
            if up.keeper.poll() is not None:
                raise starting.ended(up.server, up.folder)

    async def watched(self, work: Coroutine[Any, Any, Result]) -> Result:
        """`work`, which is given up with an `InfraError` when a server ends meanwhile."""
        if not self._up:
            return await work
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({task}, timeout=starting.POLL_S))[0]:
                self.check()
            return task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @contextmanager
    def ending(self, lasting: bool | None = None) -> Iterator[None]:
        """Whatever is served in the block ends with it, unless servers are to stay."""
        try:
            yield
        finally:
            if not (self.lasting if lasting is None else lasting):
                self.stop()

    def stop(self) -> None:
        """End all of them; returns when nothing of them is left."""
        self._stop(list(self._up))

    def _stop(self, ending: Sequence[_Up]) -> None:
        for up in ending:  # All at once: each takes seconds.
            assert up.keeper.stdin is not None
            up.keeper.stdin.close()
        with ExitStack() as undo:
            for up in ending:
                undo.push(up.undo)
                self._up.remove(up)


def _ports(servers: Sequence[ModelServer]) -> str:
    found = [server.port for server in servers]
    whole = found == list(range(found[0], found[0] + len(found)))
    return f"{found[0]} to {found[-1]}" if whole and len(found) > 1 else ", ".join(map(str, found))
