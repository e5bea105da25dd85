"""Where the points of a sweep run: here one after the other, or in processes with GPUs of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.errors import HarnessError
from harness.experiment.conduct import Job, conduct
from harness.experiment.gpus import DEVICES, visible
from harness.experiment.resources import Resources
from harness.experiment.spec import ExperimentSpec

STOP_TIMEOUT_S = 60.0
"""Between asking a point to end, which keeps its records and ends its W&B run, and killing it."""


@dataclass(frozen=True, slots=True)
class PointTask:
    """One point to be run."""

    number: int
    label: str
    spec: ExperimentSpec
    group: str
    """Name of the sweep."""
    parameters: Mapping[str, Any]
    """What `spec` was resolved from, by whoever resolves it again."""

    @property
    def job(self) -> Job:
        """How trackers call it."""
        return Job("sweep", self.group, f"{self.spec.name} {self.label}".strip())


@dataclass(frozen=True, slots=True)
class PointEnded:
    """How a point ended."""

    number: int
    code: int
    error: str = ""


class PointWorker(Protocol):
    """Runs points."""

    slots: int
    """Points at once."""

    def start(self, task: PointTask) -> None:
        """Begin a point."""
        ...

    def ended(self) -> Iterator[PointEnded]:
        """The points that ended since the last call."""
        ...

    def stop(self, number: int) -> None:
        """End a point early; it is still told as ended."""
        ...

    def close(self) -> None:
        """End what still runs, keeping its records."""
        ...


class Here:
    """In this process, which keeps models at hand from one point to the next."""

    slots = 1

    def __init__(self, resources: Resources) -> None:
        """`resources` is shared by all points, and so are the servers of a checkpoint."""
        resources.served.lasting = True
        self._resources = resources
        self._ended: list[PointEnded] = []

    def start(self, task: PointTask) -> None:
        """Run the point to its end; only an interruption is raised."""
        try:
            conduct(task.spec, self._resources, task.job)
        except HarnessError as error:
            self._ended.append(PointEnded(task.number, 1, " ".join(str(error).split())))
        else:
            self._ended.append(PointEnded(task.number, 0))

    def ended(self) -> Iterator[PointEnded]:
        """The point that `start` ran."""
        found, self._ended = self._ended, []
        yield from found

    def stop(self, number: int) -> None:
        """A point is over when `start` returns."""

    def close(self) -> None:
        """End the servers; nothing else is left running."""
        self._resources.served.stop()


class Processes:
    """A process for each point, as `wandb agent` runs them: their own output, GPUs and process group."""

    def __init__(
        self,
        slots: int,
        folder: Path,
        runs: Path,
        options: Sequence[str] = (),
        devices: Sequence[str] | None = None,
    ) -> None:
        """Points' files and logs lie under `folder`. `devices`: the GPUs to share out, None for all.

        `options` are added to each command.
        """
        self._options = options
        self.slots = slots
        self._folder = folder
        self._runs = runs
        self._shares = shares(slots, visible() if devices is None else devices)
        self._running: dict[int, tuple[subprocess.Popen[bytes], int]] = {}
        """The process of each point, and the share of the GPUs that it has."""

    def start(self, task: PointTask) -> None:
        """Begin the point on the first share of the GPUs that is free."""
        share = next(i for i in range(self.slots) if i not in {used for _, used in self._running.values()})
        file = self._folder / f"point-{task.number}.json"
        file.write_text(json.dumps(dict(task.parameters), indent=1), encoding="utf-8")
        job = ["--group", task.group, "--title", task.job.name or task.label]
        command = [
            sys.executable,
            "-m",
            "harness",
            "run",
            str(file),
            "--runs",
            str(self._runs),
            "--plain",
            "--wait",  # points share runs, such as a baseline: one makes it, the others find it
            *self._options,
            *job,
        ]
        given = self._shares[share]
        environment = {**os.environ, **({DEVICES: ",".join(given)} if given else {})}
        with self._log(task.number).open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        self._running[task.number] = (process, share)

    def ended(self) -> Iterator[PointEnded]:
        """The points whose process is over; what a failed one said last is its error."""
        for number, (process, _) in list(self._running.items()):
            code = process.poll()
            if code is not None:
                del self._running[number]
                yield PointEnded(number, code, "" if code == 0 else self._said(number, code))

    def stop(self, number: int) -> None:
        """Ask the point to end."""
        self._signal(self._running[number][0], signal.SIGTERM)

    def close(self) -> None:
        """Ask all to end, and kill after `STOP_TIMEOUT_S`."""
        for process, _ in self._running.values():
            self._signal(process, signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for process, _ in self._running.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._signal(process, signal.SIGKILL)
                process.wait()
        self._running.clear()

    def _log(self, number: int) -> Path:
        return self._folder / "logs" / f"point-{number}.log"

    def _said(self, number: int, code: int) -> str:
        text = self._log(number).read_text(encoding="utf-8", errors="replace")
        lines = [line.removeprefix("harness: ") for line in text.splitlines() if line.startswith("harness: ")]
        ended = f"ended with code {code}" if code > 0 else f"killed by signal {-code}"
        return f"{lines[-1] if lines else ended}; see {self._log(number)}"

    def _signal(self, process: subprocess.Popen[bytes], sign: signal.Signals) -> None:
        try:
            # The point alone: it ends its own W&B process and Lean services.
            process.send_signal(sign)
        except ProcessLookupError:
            return


def shares(slots: int, devices: Sequence[str]) -> list[list[str]]:
    """The GPUs of each slot: as many each as there are for all; where there are fewer, some share one."""
    if not devices:
        return [[] for _ in range(slots)]
    if len(devices) < slots:
        return [[devices[slot % len(devices)]] for slot in range(slots)]
    each = len(devices) // slots
    return [list(devices[slot * each : (slot + 1) * each]) for slot in range(slots)]
