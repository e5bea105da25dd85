"""Nothing that W&B's process does can hurt a run, and its end waits no longer than stated."""

from __future__ import annotations

import dataclasses
import json
import shlex
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.spec import TrackingSpec
from harness.tracking.events import Event
from harness.tracking.point import kept_here
from harness.tracking.spool import WandbTracker, choose_mode, resend, unsent
from harness.tracking.trackers import FanOut, NullTracker, tracker_for
from tests.tracking import tracked
from tests.tracking.tracked import EVENTS


def test_modes(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    assert choose_mode("auto", home) == "offline"
    assert choose_mode("auto", {**home, "WANDB_API_KEY": "x"}) == "online"
    assert choose_mode("auto", {**home, "WANDB_SWEEP_ID": "s"}) == "online"
    assert choose_mode("auto", {**home, "WANDB_MODE": "disabled", "WANDB_API_KEY": "x"}) == "off"
    assert choose_mode("auto", {**home, "WANDB_SWEEP_ID": "s", "WANDB_MODE": "offline"}) == "offline"
    assert [choose_mode(mode, home) for mode in ("off", "offline", "online")] == ["off", "offline", "online"]
    (tmp_path / ".netrc").write_text("machine api.wandb.ai login user password k\n")
    (tmp_path / ".netrc").chmod(0o600)
    assert choose_mode("auto", home) == "online"
    assert choose_mode("auto", {**home, "WANDB_BASE_URL": "https://our.host"}) == "offline"


def test_a_tracker_that_raises_is_named_once_and_left_alone() -> None:
    class Broken(NullTracker):
        calls = 0

        def log(self, event: Event) -> None:
            self.calls += 1
            raise ConnectionResetError("gone\naway")

    class Listening(NullTracker):
        def __init__(self) -> None:
            self.heard: list[Event] = []

        def log(self, event: Event) -> None:
            self.heard.append(event)

    warned: list[str] = []
    broken, listening = Broken(), Listening()
    fan = FanOut({"W&B": broken, "other": listening}, warned.append)
    for event in EVENTS:
        fan.log(event)
    fan.close()
    assert broken.calls == 1 and listening.heard == EVENTS
    assert warned == ["W&B: no record is lost, but ConnectionResetError: gone away"]


def script(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "sink.py"
    path.write_text(textwrap.dedent(text))
    return [sys.executable, str(path)]


def followed(root: Path, warned: list[str], command: Sequence[str], **limits: float) -> FanOut:
    tracker = WandbTracker(TrackingSpec(), "online", tracked.folder(root), warned.append, command=command)
    for name, value in limits.items():
        setattr(tracker, name, value)
    return FanOut({"W&B": tracker}, warned.append)


def spools(root: Path) -> list[list[dict[str, Any]]]:
    paths = sorted(tracked.folder(root).glob("*.jsonl"))
    return [[json.loads(line) for line in path.read_text().splitlines()] for path in paths]


def test_each_process_has_its_own_spool_with_the_same_runs_id(tmp_path: Path) -> None:
    for _ in range(2):
        fan = followed(tmp_path, [], [sys.executable, "-c", ""])
        for event in EVENTS:
            fan.log(event)
        fan.close()
    first, second = spools(tmp_path)
    assert [row["event"] for row in first] == [row["event"] for row in second] == ["run", "stage", "end"]
    assert first[0]["id"] == second[0]["id"] == tracked.a_point(tmp_path).id
    assert first[0]["describe"] == "v1-2-gabc" and first[2]["exit_code"] == 0


def test_under_an_agent_the_run_is_the_agents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SWEEP_ID": "s1", "RUN_ID": "r9", "PROJECT": "theirs", "ENTITY": "they"}.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    fan = followed(tmp_path, [], [sys.executable, "-c", ""])
    fan.log(EVENTS[0])
    fan.close()
    run = spools(tmp_path)[0][0]
    assert [run[key] for key in ("id", "sweep", "project", "entity")] == ["r9", "s1", "theirs", "they"]


def test_a_process_that_hangs_is_stopped_in_time_with_its_children(tmp_path: Path) -> None:
    command = script(
        tmp_path,
        """
        import signal, subprocess, sys, time
        from pathlib import Path
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        Path(sys.argv[1]).with_name("child").write_text(str(child.pid))
        time.sleep(60)
        """,
    )
    warned: list[str] = []
    fan = followed(tmp_path, warned, command, timeout_s=0.3)
    for event in EVENTS:
        fan.log(event)
    said = tracked.folder(tmp_path) / "child"
    while not said.exists() or not said.read_text():
        time.sleep(0.02)
    fan.close()
    assert len(warned) == 1 and "not finished within 0.3 s; send what is missing with: " in warned[0]
    child = int(said.read_text())
    for _ in range(5000):
        state = Path(f"/proc/{child}/stat")
        if not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            break
        time.sleep(0.02)
    else:
        raise AssertionError("the process's own child still runs")


DIES_ONCE = """
import json, sys
from pathlib import Path
tries = Path(sys.argv[1]).with_name("tries")
tries.write_text((tries.read_text() if tries.exists() else "") + "x")
if tries.read_text() == "x":
    Path(sys.argv[1]).with_suffix(".json").write_text(json.dumps({"state": "failed", "error": "no route"}))
    sys.exit(1)
sys.stdin.read()
"""


def test_a_process_that_dies_is_told_once_and_started_again(tmp_path: Path) -> None:
    warned: list[str] = []
    fan = followed(tmp_path, warned, script(tmp_path, DIES_ONCE), retry_s=0)
    tries = tracked.folder(tmp_path) / "tries"
    fan.log(EVENTS[0])
    while not tries.exists() or tries.read_text() != "xx":
        time.sleep(0.02)
        fan.log(EVENTS[1])
    fan.close()
    assert warned == ["W&B: no route; no record is lost, and it is tried again"]


def test_what_is_not_sent_at_the_end_is_told_with_the_command_that_sends_it(tmp_path: Path) -> None:
    warned: list[str] = []
    fan = followed(tmp_path, warned, script(tmp_path, "import sys; sys.exit('boom')"))
    fan.log(EVENTS[0])
    fan.close()
    assert len(warned) == 1 and warned[0].endswith(f"publish toy-point --runs {tmp_path}")
    assert "boom" in (tracked.folder(tmp_path) / "wandb.log").read_text()


def test_what_was_kept_without_a_network_is_told_with_the_command_that_sends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: name)
    monkeypatch.setattr("harness.tracking.spool.logged_in", lambda environment: False)
    told: list[str] = []
    for kind in ("sweep", "run"):
        command = script(tmp_path, "import sys; sys.stdin.read()")
        folder = tracked.folder(tmp_path)
        tracker = WandbTracker(TrackingSpec(), "offline", folder, told.append, command=command)
        tracker.log(dataclasses.replace(tracked.STARTED, job_type=kind))
        tracker.close()
    there = f"publish toy-point --runs {tmp_path}"
    assert told == [f"W&B: kept on this machine; to send it: wandb login && harness {there}"]
    assert kept_here(tmp_path, "toys") and not kept_here(tmp_path, "others")
    monkeypatch.setattr("harness.tracking.spool.logged_in", lambda environment: True)
    monkeypatch.chdir(tmp_path)
    assert unsent(Path("runs"), "alpha") == "W&B: kept on this machine; to send it: harness publish alpha"


def test_the_command_is_as_it_is_typed_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    odd = tmp_path / "my runs"
    line = shlex.split(resend(tracked.folder(odd)))
    assert line == [sys.executable, "-m", "harness", "publish", "toy-point", "--runs", str(odd)]
    monkeypatch.setenv("HARNESS_RUNS", str(odd))
    assert shlex.split(resend(tracked.folder(odd)))[3:] == ["publish", "toy-point"]
    done = subprocess.run([*line, "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "RUN" in done.stdout


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    warned: list[str] = []
    fan = followed(tmp_path / "file", warned, [sys.executable, "-c", ""])
    fan.log(EVENTS[0])
    fan.close()
    assert len(warned) == 1 and warned[0].startswith("W&B: ")


def test_off_is_nothing(tmp_path: Path) -> None:
    tracker = tracker_for(TrackingSpec(wandb="off"), tmp_path / "logs", print)
    tracker.log(EVENTS[0])
    tracker.close()
    assert not (tmp_path / "logs").exists()
