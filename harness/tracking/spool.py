"""W&B as a view, seen from the experiment: events go to a file, and a process of its own reads it.

The experiment never imports wandb, never waits for it, and cannot be harmed by it: not by a dead server, a
dead `wandb-core`, or an exception. The file (the spool) can be sent again, see `harness.tracking.wandb_sink`.
"""

from __future__ import annotations

import netrc
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from harness.errors import InfraError
from harness.paths import expanded, home
from harness.records.journal import encode, make_folder, read_json
from harness.spec import TrackingSpec
from harness.tracking.events import (
    AttemptRecorded,
    EvaluationFinished,
    Event,
    RunFinished,
    RunStarted,
    StageAdvanced,
    StageFinished,
)

FINISH_TIMEOUT_S = 30.0
"""Longest that W&B may hold up the end of an experiment; then its process is stopped."""
STOP_TIMEOUT_S = 2.0
"""Between asking that process to end and killing it."""
PROOF_CHARS = 2000
"""A longer proof is cut in W&B's table; the record has all of it."""
HOSTS = ("api.forge.coreweave.com", "api.wandb.ai")
"""Where wandb sends runs by default, the present host and the former."""

Mode = Literal["off", "offline", "online"]


def choose_mode(setting: str, environment: Mapping[str, str] = os.environ) -> Mode:
    """What a `tracking.wandb` setting comes to here. Neither imports wandb nor asks anybody.

    WANDB_MODE wins over `auto`; a run under `wandb agent` is online unless told otherwise; `auto` is online
    where a key is at hand.
    """
    if setting != "auto":
        return "online" if setting == "online" else "offline" if setting == "offline" else "off"
    wished = environment.get("WANDB_MODE", "")
    if wished in ("disabled", "offline", "online"):
        return "off" if wished == "disabled" else "offline" if wished == "offline" else "online"
    return "online" if environment.get("WANDB_SWEEP_ID") or logged_in(environment) else "offline"


def logged_in(environment: Mapping[str, str]) -> bool:
    """Whether a W&B key is at hand: WANDB_API_KEY, or a netrc entry for the host."""
    if environment.get("WANDB_API_KEY"):
        return True
    base = environment.get("WANDB_BASE_URL")
    hosts = [urlsplit(base).netloc] if base else HOSTS
    folder = Path(environment["HOME"]) if environment.get("HOME") else home()
    path = expanded(environment.get("NETRC") or folder / ".netrc")
    try:
        entries = netrc.netrc(str(path))
    except (OSError, netrc.NetrcParseError):
        return False
    return any(host in entries.hosts for host in hosts)


class WandbTracker:
    """Writes events to `<folder>/wandb-events.jsonl` and keeps the process that passes them on."""

    def __init__(
        self,
        spec: TrackingSpec,
        mode: Mode,
        folder: Path,
        command: Sequence[str] = (sys.executable, "-m", "harness.tracking.wandb_sink"),
    ) -> None:
        """`command` is given the spool; its output goes to `<folder>/wandb.log`. An event starts it."""
        self.folder = folder
        self.spool = folder / "wandb-events.jsonl"
        self.timeout_s = FINISH_TIMEOUT_S
        self._settings = {"project": spec.project, "entity": spec.entity, "mode": mode}
        self._command = [*command, str(self.spool)]
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def log(self, event: Event) -> None:
        """Append the event. Raises InfraError when the process that reads them has failed."""
        if self._process is None:
            self._start()
        if self._process is not None and self._process.poll():
            raise InfraError(self._failure())
        self._append(event_row(event))

    def close(self) -> None:
        """Wait for the process, at most `timeout_s`; what it could not do by then stays in the spool."""
        if self._process is None or self._closed:
            return
        self._closed = True
        process = self._process
        if process.stdin is not None:
            process.stdin.close()  # the end of its standard input tells the process that we are done
        try:
            code = process.wait(self.timeout_s)
        except subprocess.TimeoutExpired:
            self._stop(process)
            raise InfraError(
                f"it did not finish within {self.timeout_s:g} s and was stopped; "
                f"send again with: python -m harness.tracking.wandb_sink {self.spool}"
            ) from None
        if code:
            raise InfraError(self._failure())

    def status(self) -> Mapping[str, Any]:
        """What the process last said of itself: `state`, and `url` or `folder` where it has one."""
        said = read_json(self.folder / "wandb-status.json")
        return said if isinstance(said, dict) else {}

    def _start(self) -> None:
        make_folder(self.folder)
        self.spool.write_bytes(encode({"event": "settings", **self._settings, "dir": str(self.folder)}))
        (self.folder / "wandb-status.json").unlink(missing_ok=True)
        with (self.folder / "wandb.log").open("ab") as log:
            # Its own session: Ctrl-C in the terminal must reach the experiment alone, which then closes us.
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )

    def _append(self, row: Mapping[str, Any]) -> None:
        with self.spool.open("ab") as file:
            file.write(encode(row))

    def _failure(self) -> str:
        return str(self.status().get("error") or f"its process stopped, see {self.folder / 'wandb.log'}")

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, sign)  # its own group: wandb-core goes with it
            except ProcessLookupError:
                return
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                continue


def event_row(event: Event) -> dict[str, Any]:
    """One line of the spool."""
    match event:
        case RunStarted():
            config, tags = dict(event.config), list(event.tags)
            row = {"name": event.name, "group": event.group, "job_type": event.job_type}
            return {"event": "run_started", **row, "config": config, "tags": tags}
        case StageAdvanced():
            figures = _numbers(event.figures)
            return {"event": "curve", "stage": event.stage, "step": event.done, "figures": figures}
        case StageFinished():
            facts = {"stage": event.stage, "digest": event.digest, "cached": event.cached}
            return {"event": "stage", **facts, "seconds": event.seconds, "metrics": _numbers(event.metrics)}
        case AttemptRecorded():
            return {"event": "attempt", "evaluation": event.evaluation, "row": table_row(event)}
        case EvaluationFinished():
            facts = {"evaluation": event.evaluation, "folder": event.folder}
            return {"event": "evaluation", **facts, "figures": dict(event.figures)}
        case RunFinished():
            return {"event": "run_finished", "exit_code": event.exit_code}


def table_row(event: AttemptRecorded) -> list[Any]:
    """One attempt as W&B's table of problems shows it; the columns are the sink's `COLUMNS`."""
    record, search = event.record, event.record.attempt.search
    return [
        record.problem_id,
        record.attempt.index,
        record.verdict.status.value,
        record.verdict.reason,
        None if search is None else search.expanded,
        None if search is None else search.tactics_tried,
        record.verdict.seconds,
        (record.attempt.proof or "")[:PROOF_CHARS],
    ]


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {
        key: value
        for key, value in metrics.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
    }
