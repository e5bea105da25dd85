"""The real W&B client against a server that misbehaves: W&B ends whole, in one run, without a row twice."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.spec import TrackingSpec
from harness.tracking.events import RunFinished
from harness.tracking.point import sessions, status
from harness.tracking.spool import WandbTracker
from harness.tracking.trackers import FanOut
from tests.tracking import tracked
from tests.wandb_server import Server, environment, serving

pytestmark = pytest.mark.slow
PATIENCE_S = 600.0


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving() as found:
        for name in [name for name in os.environ if name.startswith("WANDB_")]:
            monkeypatch.delenv(name)
        for name, value in environment(found, tmp_path / "home").items():
            monkeypatch.setenv(name, value)
        yield found


class Experiment:
    """One process of an experiment on hand-made records, tracked as a real one is."""

    def __init__(self, root: Path, **limits: Any) -> None:
        self.root = root
        self.told: list[str] = []
        self.tracker = WandbTracker(
            TrackingSpec(project="p"), "online", tracked.folder(root), self.told.append,
            command=limits.pop("command", [sys.executable, "-m", "harness.tracking.mirror"]),
        )  # fmt: skip
        self.tracker.timeout_s = limits.pop("timeout_s", PATIENCE_S)
        self.tracker.retry_s = limits.pop("retry_s", 30.0)
        self.fan = FanOut({"W&B": self.tracker}, self.told.append)
        self.fan.log(tracked.STARTED)

    @property
    def said(self) -> list[str]:
        """What was told, the run's address apart."""
        return [line for line in self.told if not line.startswith("W&B: http")]

    def end(self, code: int = 0) -> list[str]:
        self.fan.log(RunFinished(code))
        self.fan.close()
        return self.said

    def kill(self) -> None:
        """What SIGKILL of the experiment leaves: no last word, and an end of the process's input."""
        process = self.tracker._process
        assert process is not None and process.stdin is not None
        process.stdin.close()
        process.wait(PATIENCE_S)


def until(holds: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def rows(server: Server) -> int:
    return sum(len(run["history"]) for run in server.runs())


def publish(root: Path, *more: str) -> int:
    return main(["publish", "toy-point", "--runs", str(root), *more])


def assert_whole(server: Server, root: Path) -> None:
    """One W&B run that holds the whole history once, the whole tables, and every artifact once."""
    (run,) = server.runs()
    assert [row["_step"] for row in run["history"]] == list(range(tracked.ROWS))
    assert [row["curve/value/step"] for row in run["history"][:3]] == [1, 2, 3]
    assert (run["state"], run["exit_code"]) == ("finished", 0)
    assert run["summary"]["problems/search_test"]["nrows"] == 4
    assert run["summary"]["problems/whole"]["nrows"] == 4
    assert run["summary"]["eval/whole/pass_at_1_n"] == 4
    assert set(run["tags"]) == {"v1-2-gabc", "toy@91b991b991b9", "strict/kernel"}
    artifacts = server.dump()["artifacts"].values()
    kept = sorted(one["name"] for one in artifacts if one["type"] != "run_table")
    assert kept == ["toy.search-test-1:v0", "toy.whole-2:v0", "value-abc:v0"]
    assert all(one["state"] == "COMMITTED" for one in artifacts)


def test_a_run_is_whole_and_publishing_it_again_changes_nothing(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = Experiment(tmp_path)
    tracked.whole(tmp_path)
    assert experiment.end() == []
    assert experiment.told == [f"W&B: {server.url}/local/p/runs/{tracked.a_point(tmp_path).id}"]
    assert_whole(server, tmp_path)
    before = server.dump()
    assert publish(tmp_path) == 0
    assert_whole(server, tmp_path)
    after = server.dump()
    assert before["artifacts"].keys() == after["artifacts"].keys()
    assert f"{server.url}/local/p/runs/{tracked.a_point(tmp_path).id}" in capsys.readouterr().out


def test_killed_in_a_curve_and_in_an_evaluation_it_goes_on_in_the_same_run(
    server: Server, tmp_path: Path
) -> None:
    first = Experiment(tmp_path)
    tracked.train(tmp_path, steps=2, done=False)
    first.kill()
    (run,) = server.runs()
    assert (len(run["history"]), run["state"]) == (2, "failed")
    second = Experiment(tmp_path)
    tracked.train(tmp_path)
    tracked.measure(tmp_path, 0, tracked.records_of(2), done=False)
    second.kill()
    (run,) = server.runs()
    assert run["summary"]["problems/search_test"]["nrows"] == 2  # of what there was
    third = Experiment(tmp_path)
    tracked.whole(tmp_path)
    assert third.end() == []
    assert_whole(server, tmp_path)


@pytest.mark.parametrize("refused", ["the one that sends", "the one that waits"])
def test_two_starts_of_one_command_feed_one_run(server: Server, tmp_path: Path, refused: str) -> None:
    both = [Experiment(tmp_path), Experiment(tmp_path)]
    tracked.whole(tmp_path)
    until(lambda: rows(server) == tracked.ROWS)
    both.sort(key=lambda one: status(one.tracker.spool).get("state") != "running")
    first, second = both if refused == "the one that sends" else reversed(both)
    assert first.end(2) == []  # the other one writes the records
    assert second.end() == []
    assert_whole(server, tmp_path)


@pytest.mark.parametrize("status_code", [500, 429])
def test_a_server_that_refuses_for_a_while_loses_nothing(
    server: Server, tmp_path: Path, status_code: int
) -> None:
    server.fail("UpsertBucket", status_code, 1)
    server.fail("file_stream", status_code, 2)
    experiment = Experiment(tmp_path)
    tracked.whole(tmp_path)
    assert experiment.end() == []
    assert_whole(server, tmp_path)


def test_a_server_that_hangs_delays_the_end_as_stated_and_the_printed_command_mends_it(
    server: Server, tmp_path: Path
) -> None:
    server.hang("file_stream")
    experiment = Experiment(tmp_path, timeout_s=6.0)
    tracked.whole(tmp_path)
    (line,) = experiment.end()
    assert line.startswith("W&B: no record is lost, but not finished within 6 s; send what is missing")
    server.stop()
    server.start()
    command = shlex.split(line.partition("with: ")[2])
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_whole(server, tmp_path)


def test_no_server_at_the_start_is_told_in_one_line_and_mended_when_it_is_back(
    server: Server, tmp_path: Path
) -> None:
    server.stop()
    experiment = Experiment(tmp_path, command=[sys.executable, "-c", QUICK], retry_s=0.0)
    process = experiment.tracker._process
    assert process is not None
    until(lambda: process.poll() is not None)
    experiment.fan.log(tracked.EVENTS[1])
    (line,) = experiment.said
    assert "no record is lost, and it is tried again" in line and "\n" not in line
    server.start()
    tracked.whole(tmp_path)
    experiment.end()
    assert experiment.said == [line]
    assert_whole(server, tmp_path)


QUICK = """
import sys
from harness.tracking import mirror
mirror.INIT_TIMEOUT_S = 2.0
sys.exit(mirror.main(sys.argv[1:]))
"""


def test_a_server_that_dies_in_the_middle_gets_the_rest_later(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = Experiment(tmp_path, timeout_s=3.0)
    tracked.train(tmp_path)
    until(lambda: rows(server) == 4)
    server.stop()
    tracked.whole(tmp_path)
    (line,) = experiment.end()
    assert "send what is missing with: " in line
    server.start()
    assert publish(tmp_path) == 0
    assert_whole(server, tmp_path)


def test_a_killed_wandb_core_is_replaced_while_the_experiment_goes_on(server: Server, tmp_path: Path) -> None:
    experiment = Experiment(tmp_path, retry_s=0.0)
    tracked.train(tmp_path)
    until(lambda: rows(server) == 4)
    process = experiment.tracker._process
    assert process is not None
    for core in cores(process.pid):
        os.kill(core, signal.SIGKILL)
    tracked.whole(tmp_path)
    until(lambda: process.poll() is not None)
    experiment.fan.log(tracked.EVENTS[1])
    experiment.fan.log(tracked.EVENTS[1])
    (line,) = experiment.end()
    assert "it is tried again" in line
    assert_whole(server, tmp_path)


def cores(parent: int) -> list[int]:
    """The processes called wandb-core that `parent` started."""
    listed = subprocess.run(["ps", "-ww", "-eo", "pid=,ppid=,args="], capture_output=True, text=True).stdout
    found = [line.split(None, 2) for line in listed.splitlines()]
    return [int(pid) for pid, ppid, words in found if int(ppid) == parent and "wandb-core" in words]


def test_a_full_disk_of_wandb_harms_nothing_and_is_mended(server: Server, tmp_path: Path) -> None:
    # No file of that process may grow beyond 16 KiB; what wandb does then is what it does on a full disk.
    limited = ["bash", "-c", f'ulimit -f 16; exec {sys.executable} -m harness.tracking.mirror "$0"']
    experiment = Experiment(tmp_path, command=limited, timeout_s=10.0)
    tracked.whole(tmp_path)
    experiment.end()
    assert len(experiment.said) <= 1
    assert publish(tmp_path) == 0
    assert_whole(server, tmp_path)


def test_offline_work_is_published_afterwards(server: Server, tmp_path: Path) -> None:
    tracker = WandbTracker(TrackingSpec(project="p"), "offline", tracked.folder(tmp_path))
    tracker.timeout_s = PATIENCE_S
    tracker.log(tracked.STARTED)
    tracked.whole(tmp_path)
    tracker.log(RunFinished(0))
    tracker.close()
    (session,) = sessions(tracked.folder(tmp_path))
    stored = Path(str(status(session.spool)["folder"]))
    assert server.runs() == [] and any(path.stat().st_size > 1000 for path in stored.glob("*.wandb"))
    assert publish(tmp_path) == 0
    assert_whole(server, tmp_path)


def test_a_run_that_nobody_tracked_is_published_by_its_name(server: Server, tmp_path: Path) -> None:
    tracked.measure(tmp_path, 0, tracked.records_of(4))
    for name, code in (("toy.other", 2), ("toy.search-test-1", 0), ("toy.search", 0)):
        assert main(["publish", name, "--runs", str(tmp_path), "--project", "mine"]) == code
    (run,) = server.runs()
    assert (run["project"], len(run["history"]), run["groupName"]) == ("mine", 1, "toy")
