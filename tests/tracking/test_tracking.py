"""W&B sees what the records say, and nothing it does can hurt a run."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

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
from harness.tracking.spool import WandbTracker, choose_mode, event_row, table_row
from harness.tracking.trackers import FanOut, NullTracker, tracker_for
from harness.tracking.wandb_sink import COLUMNS, Sink
from tests.making import record

EVENTS: list[Event] = [
    RunStarted("toy", "toys", "run", {"search": {"alpha": 0.3}}, tags=["v1", "toy@91b9"]),
    StageFinished(
        "value", "abc", cached=False, seconds=1.5, metrics={"loss": 0.5, "note": "x", "bad": float("nan")}
    ),
    AttemptRecorded("search-test", record("p000")),
    AttemptRecorded("search-test", record("p001", "rejected", expanded=None)),
    EvaluationFinished("search-test", "toy.search-12", {"pass_at_1": 0.5, "pass_at_1_low": None}),
    RunFinished(0),
]


class FakeRun:
    id, url, dir = "r1", "https://example.org/r1", "/tmp/w/files"

    def __init__(self) -> None:
        self.logged: list[dict[str, Any]] = []
        self.summary: dict[str, Any] = {}
        self.axes: list[tuple[str, str]] = []
        self.exit_code: int | None = None

    def log(self, data: dict[str, Any]) -> None:
        self.logged.append(data)

    def define_metric(self, name: str, step_metric: str) -> None:
        self.axes.append((name, step_metric))

    def finish(self, exit_code: int) -> None:
        self.exit_code = exit_code


class FakeWandb:
    def __init__(self) -> None:
        self.run = FakeRun()
        self.given: dict[str, Any] = {}

    def Settings(self, **settings: Any) -> dict[str, Any]:
        return settings

    def Table(self, columns: list[str], data: list[list[Any]]) -> tuple[list[str], list[list[Any]]]:
        return columns, data

    def init(self, **given: Any) -> FakeRun:
        self.given = given
        return self.run


def fed(rows: list[dict[str, Any]], wandb: FakeWandb) -> list[Any]:
    told: list[Any] = []
    sink = Sink(wandb, told.append)
    sink.take({"event": "settings", "mode": "offline", "project": "p", "entity": None, "dir": "/tmp/w"})
    for row in rows:
        sink.take(json.loads(json.dumps(row)))
    return told


def test_events_become_config_history_table_and_plain_summary_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("WANDB_SWEEP_ID", raising=False)
    wandb = FakeWandb()
    told = fed([event_row(event) for event in EVENTS], wandb)
    assert wandb.given["config"] == {"search": {"alpha": 0.3}}
    assert (wandb.given["name"], wandb.given["group"], wandb.given["project"]) == ("toy", "toys", "p")
    stage, figures, table = wandb.run.logged
    assert stage == {"value/loss": 0.5, "value/seconds": 1.5, "value/cached": 0}
    assert figures == {"eval/search_test/pass_at_1": 0.5}
    assert wandb.run.summary["eval/search_test/pass_at_1"] == 0.5
    columns, rows = table["problems/search_test"]
    assert tuple(columns) == COLUMNS and [row[:3] for row in rows] == [
        ["p000", 0, "proved"],
        ["p001", 0, "rejected"],
    ]
    assert wandb.run.exit_code == 0
    assert [said["state"] for said in told] == ["running", "finished"]


def test_a_learning_curve_has_the_steps_of_its_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_SWEEP_ID", raising=False)
    points = [StageAdvanced("round 1: grpo", n, {"reward": n / 10, "kl": float("nan")}) for n in (1, 2)]
    wandb = FakeWandb()
    fed([event_row(event) for event in (EVENTS[0], *points)], wandb)
    assert wandb.run.axes == [("curve/round_1__grpo/*", "curve/round_1__grpo/step")]
    assert wandb.run.logged == [
        {"curve/round_1__grpo/reward": n / 10, "curve/round_1__grpo/step": n} for n in (1, 2)
    ]


def test_a_row_fits_the_columns_and_a_long_proof_is_cut() -> None:
    row = table_row(AttemptRecorded("e", record("p000", proof="x" * 5000)))
    assert len(row) == len(COLUMNS) and len(row[-1]) == 2000


def test_under_an_agent_the_run_is_the_agents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_SWEEP_ID", "s1")
    wandb = FakeWandb()
    fed([event_row(EVENTS[0])], wandb)
    assert set(wandb.given) == {"config", "settings"}


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
    assert warned == ["W&B: ConnectionResetError: gone away; going on without it, the records are complete"]


def script(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "sink.py"
    path.write_text(textwrap.dedent(text))
    return [sys.executable, str(path)]


def tracked(folder: Path, warned: list[str], command: list[str], timeout_s: float = 20) -> FanOut:
    tracker = WandbTracker(TrackingSpec(), "offline", folder, command)
    tracker.timeout_s = timeout_s
    return FanOut({"W&B": tracker}, warned.append)


def test_a_sink_that_hangs_is_stopped_in_time_with_its_children(tmp_path: Path) -> None:
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
    fan = tracked(tmp_path, warned, command, timeout_s=0.3)
    for event in EVENTS:
        fan.log(event)
    while not (tmp_path / "child").exists() or not (tmp_path / "child").read_text():
        time.sleep(0.02)
    start = time.monotonic()
    fan.close()
    assert time.monotonic() - start < 5
    assert len(warned) == 1 and "did not finish within 0.3 s" in warned[0]
    spooled = [json.loads(line) for line in (tmp_path / "wandb-events.jsonl").read_text().splitlines()]
    assert [row["event"] for row in spooled][1:] == [event_row(event)["event"] for event in EVENTS]
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        state = Path(f"/proc/{child}/stat")
        if not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            break
        time.sleep(0.02)
    else:
        raise AssertionError("the sink's own child still runs")


def test_a_sink_that_dies_is_noticed_and_told_once(tmp_path: Path) -> None:
    command = script(tmp_path, "import sys; sys.exit('boom')")
    warned: list[str] = []
    fan = tracked(tmp_path, warned, command)
    for _ in range(200):
        fan.log(EVENTS[2])
        time.sleep(0.01)
        if warned:
            break
    fan.log(EVENTS[3])
    fan.close()
    assert len(warned) == 1 and "wandb.log" in warned[0]
    assert "boom" in (tmp_path / "wandb.log").read_text()


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    warned: list[str] = []
    fan = tracked(tmp_path / "file" / "logs", warned, [sys.executable, "-c", ""])
    fan.log(EVENTS[0])
    fan.close()
    assert len(warned) == 1 and warned[0].startswith("W&B: ")


def test_off_is_nothing(tmp_path: Path) -> None:
    tracker = tracker_for(TrackingSpec(wandb="off"), tmp_path / "logs", print)
    tracker.log(EVENTS[0])
    tracker.close()
    assert not (tmp_path / "logs").exists()


PARENT = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from harness.spec import (TrackingSpec)
from harness.tracking.trackers import tracker_for
from tests.tracking.test_tracking import EVENTS
tracker = tracker_for(TrackingSpec(wandb="offline"), Path(sys.argv[1]), print)
for event in EVENTS[: int(sys.argv[3])]:
    tracker.log(event)
if sys.argv[3] == "3":
    print("logged", flush=True)
    time.sleep(60)
tracker.close()
"""


def wandb_environment(tmp_path: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WANDB_")}
    folders = {f"WANDB_{name}_DIR": str(tmp_path / name) for name in ("CONFIG", "CACHE", "DATA")}
    return {**kept, **folders, "HOME": str(tmp_path), "WANDB_ERROR_REPORTING": "false"}


@pytest.mark.slow
def test_the_real_client_offline_also_when_the_run_is_killed(tmp_path: Path) -> None:
    """Without account, prompt or network: one run that ends, one killed while W&B is still starting."""
    top = str(Path(__file__).parents[2])
    children = []
    for name, count in (("ended", len(EVENTS)), ("killed", 3)):
        command = [sys.executable, "-c", PARENT, str(tmp_path / name), top, str(count)]
        environment = wandb_environment(tmp_path)
        children.append(subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True))
    ended, killed = children
    assert killed.stdout is not None and killed.stdout.readline() == "logged\n"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    killed.stdout.close()
    assert ended.communicate(timeout=60)[0] == "" and ended.returncode == 0
    for name in ("ended", "killed"):
        for _ in range(300):
            path = tmp_path / name / "wandb-status.json"
            status = json.loads(path.read_text()) if path.exists() else {}
            if status.get("state") in ("finished", "failed"):
                break
            time.sleep(0.1)
        assert status["state"] == "finished", status
        (stored,) = Path(status["folder"]).glob("*.wandb")
        assert stored.stat().st_size > 1000 and b"p000" in b"".join(
            item.read_bytes() for item in [stored, *Path(status["folder"]).rglob("*.json")]
        )
