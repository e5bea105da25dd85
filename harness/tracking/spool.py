"""W&B as a view, seen from the experiment: a process of its own reads the records and mirrors them.

The experiment never imports wandb, never waits for it, and cannot be harmed by it: not by a dead server, a
dead `wandb-core`, or an exception. What that process could not send, `harness publish` sends later.
"""

from __future__ import annotations

import contextlib
import netrc
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from harness import extras
from harness.errors import InfraError
from harness.nested import get
from harness.paths import expanded, home
from harness.records.journal import encode
from harness.spec import TrackingSpec
from harness.tracking.events import Event, RunFinished, RunStarted, StageFinished
from harness.tracking.point import new_spool, open_point, status

FINISH_TIMEOUT_S = 30.0
"""Longest that W&B may hold up the end of an experiment; then its process is stopped."""
STOP_TIMEOUT_S = 2.0
"""Between asking that process to end and killing it."""
LOOK_S = 1.0
"""How often the process's own word is looked for, until it says where the run is to be seen."""
RETRY_S = 30.0
"""A process that failed is started again with the first event after this time."""
HOSTS = ("api.forge.coreweave.com", "api.wandb.ai")
"""Where wandb sends runs by default, the present host and the former."""

Mode = Literal["off", "offline", "online"]


def choose_mode(setting: str, environment: Mapping[str, str] = os.environ) -> Mode:
    """What a `tracking.wandb` setting comes to here. Neither imports wandb nor asks anybody.

    WANDB_MODE wins over `auto`; a run under `wandb agent` is online unless told otherwise; `auto` is online
    where a key is at hand, and off where wandb is not installed. Raises `MissingExtra` when it is asked for
    by name and is not.
    """
    if setting == "auto" and "wandb" in extras.missing("wandb"):  # the client; reports need more
        return "off"
    if setting in ("online", "offline"):
        extras.need("wandb")
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
    """Keeps a spool, and the process that mirrors the point's records into the W&B run named there."""

    def __init__(
        self,
        spec: TrackingSpec,
        mode: Mode,
        folder: Path,
        tell: Callable[[str], None] = lambda line: None,
        *,
        run_id: str | None = None,
        command: Sequence[str] = (sys.executable, "-m", "harness.tracking.mirror"),
    ) -> None:
        """`folder` is the point's, `run_id` another id than its own. `tell` hears what a person should know.

        `command` is given the spool.
        """
        self.folder = folder
        self.spool = new_spool(folder)
        self.timeout_s = FINISH_TIMEOUT_S
        self.retry_s = RETRY_S
        self._settings = {"project": spec.project, "entity": spec.entity, "mode": mode}
        self._tell = tell
        self._run_id = run_id
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._retry_at: float | None = None
        """When to start it again; None while it has not failed."""
        self._told = False
        self._look_at: float | None = 0.0
        """When to look where the run is to be seen; None once that was told."""
        self._closed = False
        self._alone = True
        """Whether nobody else tells of its sweep as a whole."""

    def log(self, event: Event) -> None:
        """Note what the records do not say, and see that the process lives. Raises StoreError."""
        match event:
            case RunStarted():
                self._begin(event)
            case StageFinished():
                self._append({"event": "stage", "stage": event.stage, "cached": event.cached})
            case RunFinished():
                self._append({"event": "end", "exit_code": event.exit_code})
        self._keep_alive()
        self._tell_where()

    def close(self) -> None:
        """Wait for the process, at most `timeout_s`. Raises InfraError when W&B lacks something then."""
        if self._process is None or self._closed:
            return
        self._closed = True
        deadline = time.monotonic() + self.timeout_s
        done = self._wait(deadline)
        if done is False and self._retry_at is not None and time.monotonic() >= self._retry_at:
            self._start()  # it failed a while ago; W&B may be back
            done = self._wait(deadline)
        self._tell_where(0.0)
        if done:
            if self._alone and self._settings["mode"] == "offline":
                self._tell(unsent(self.folder.parents[1], self.folder.name))
            return
        self._stop()
        why = f"not finished within {self.timeout_s:g} s" if done is None else self._failure()
        raise InfraError(f"{why}; send what is missing with: {resend(self.folder)}")

    def _begin(self, event: RunStarted) -> None:
        self._alone = event.job_type != "sweep"
        point = open_point(self.folder, event)
        run = {"id": self._run_id or point.id, **self._settings}
        names = {"name": event.name, "group": event.group, "job_type": event.job_type}
        if os.environ.get("WANDB_SWEEP_ID"):  # an agent's run exists already
            given = {key: os.environ.get(f"WANDB_{key.upper()}") for key in ("project", "entity")}
            run |= {key: value for key, value in given.items() if value}
            run |= {"id": os.environ.get("WANDB_RUN_ID", run["id"]), "sweep": os.environ["WANDB_SWEEP_ID"]}
        allowed = get(event.config, "runtime.max_unscored")
        self._append({"event": "run", **run, **names, "describe": event.describe, "max_unscored": allowed})
        self._start()

    def _keep_alive(self) -> None:
        if self._process is None or not self._process.poll():
            return
        if self._retry_at is None:
            self._retry_at = time.monotonic() + self.retry_s
            if not self._told:
                self._told = True
                self._tell(f"W&B: {self._failure()}; no record is lost, and it is tried again")
        elif time.monotonic() >= self._retry_at:
            self._start()

    def _tell_where(self, every_s: float = LOOK_S) -> None:
        if self._process is None or self._look_at is None or (time.monotonic() < self._look_at and every_s):
            return
        self._look_at = time.monotonic() + every_s
        url = status(self.spool).get("url")
        if url:
            self._look_at = None
            self._tell(f"W&B: {url}")

    def _start(self) -> None:
        if self._process is not None:
            self._kill(
                signal.SIGKILL
            )  # a wandb-core that outlived its process would go on writing to the run
            assert self._process.stdin is not None
            self._process.stdin.close()
        self._retry_at = None
        with (self.folder / "wandb.log").open("ab") as log:
            # Its own session: Ctrl-C in the terminal must reach the experiment alone, which then closes us.
            self._process = subprocess.Popen(
                [*self._command, str(self.spool)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait(self, deadline: float) -> bool | None:
        """Let the process end: whether it sent everything; None when it did not end in time."""
        assert self._process is not None
        if self._process.stdin is not None:
            self._process.stdin.close()  # the end of its standard input tells it that we are done
        try:
            return self._process.wait(max(0.0, deadline - time.monotonic())) == 0
        except subprocess.TimeoutExpired:
            return None

    def _append(self, row: Mapping[str, Any]) -> None:
        with self.spool.open("ab") as file:
            file.write(encode(row))

    def _failure(self) -> str:
        return str(status(self.spool).get("error") or f"its process stopped, see {self.folder / 'wandb.log'}")

    def _stop(self) -> None:
        assert self._process is not None
        for sign in (signal.SIGTERM, signal.SIGKILL):
            self._kill(sign)
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                continue

    def _kill(self, sign: signal.Signals) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, sign)  # its own group: wandb-core goes with it


def unsent(root: Path, name: str) -> str:
    """What to tell of an experiment or sweep under `root` that was tracked without a network."""
    login = "" if logged_in(os.environ) else f"{_typed('wandb')} login && "
    return f"W&B: kept on this machine; to send it: {login}{_publish(root, name)}"


def resend(folder: Path) -> str:
    """The command that sends the point in `folder`, as it is typed here."""
    return _publish(folder.parents[1], folder.name)


def _publish(root: Path, name: str) -> str:
    usual = Path(os.environ.get("HARNESS_RUNS") or "runs")
    where = "" if root == usual else f" --runs {shlex.quote(str(root))}"
    return f"{_typed('harness')} publish {shlex.quote(name)}{where}"


def _typed(program: str) -> str:
    """How a program of this environment is called from here."""
    return program if shutil.which(program) else f"{shlex.quote(sys.executable)} -m {program}"
