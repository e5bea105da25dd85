"""Whatever a trainer does: its log is whole, the reason is told, nothing of it is left running."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import InfraError
from harness.processes import keeper
from harness.processes.kept import Process, environment
from trainers.openrlhf import launch, logs

STUB = Path(__file__).with_name("stub.py")
PATIENT = launch.Limits(start_s=60, step_s=60, grace_s=1.0, free_bytes=0)


def process(folder: Path, what: str, **more: str) -> Process:
    return Process(
        name="stub",
        argv=(sys.executable, str(STUB)),
        environment={"STUB": what, **more},
        dropped=("RAY_ADDRESS",),
        gpus=(),
        cpus=1,
        files=(),
        log=folder / "stub.log",
    )


Told = list[logs.LoggedStep | logs.LoggedEvaluation]


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path) -> Iterator[None]:
    """After each test nobody is left who writes into its log."""
    yield
    assert not _writers(tmp_path / "stub.log")


def _writers(log: Path) -> list[str]:
    found = []
    for number in Path("/proc").iterdir():
        if number.name.isdecimal() and number.name != str(os.getpid()):
            try:
                if str(log) in {str(file.readlink()) for file in (number / "fd").iterdir()}:
                    found.append(number.name)
            except OSError:
                continue
    return found


def failure(folder: Path, what: str, limits: launch.Limits = PATIENT, **more: str) -> launch.Ended:
    with pytest.raises(launch.Ended) as caught:
        launch.run(process(folder, what, **more), folder, limits, lambda _: None)
    assert isinstance(caught.value, InfraError)
    assert str(folder / "stub.log") in str(caught.value)
    return caught.value


def test_a_megabyte_and_exit_3(tmp_path: Path) -> None:
    ended = failure(tmp_path, "talk")
    assert ended.code == 3
    assert "exit code 3: ValueError: the last word" in str(ended)
    assert len((tmp_path / "stub.log").read_bytes()) == (1 << 20) + len("ValueError: the last word\n")


def test_one_that_never_begins(tmp_path: Path) -> None:
    ended = failure(tmp_path, "hang", launch.Limits(start_s=4, step_s=60, grace_s=1.0, free_bytes=0))
    assert "no first step for " in str(ended) and "start_timeout_s" in str(ended)
    assert ended.code != 0
    assert "waiting for a GPU" in (tmp_path / "stub.log").read_text()


def test_one_that_stalls(tmp_path: Path) -> None:
    ended = failure(tmp_path, "stall", launch.Limits(start_s=60, step_s=0.5, grace_s=1.0, free_bytes=0))
    assert "no sign of progress for " in str(ended) and "step_timeout_s" in str(ended)


def test_one_that_forks_and_dies_leaves_no_orphan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = failure(tmp_path, "fork")
    assert ended.code == 128 + signal.SIGKILL
    assert "exit code 137: RuntimeError: gone" in str(ended)
    assert json.loads((tmp_path / "stub.exit.json").read_text()) == {
        "code": 137,
        "ended": "itself",
        "left": 2,
    }


def test_one_that_fills_the_disk(tmp_path: Path) -> None:
    # What it takes must not be there twice: others use this disk too.
    free, taken = shutil.disk_usage(tmp_path).free, 256 << 20
    limits = launch.Limits(start_s=60, step_s=60, grace_s=1.0, free_bytes=free - taken // 2)
    ended = failure(tmp_path, "disk", limits, STUB_FILE=str(tmp_path / "big"), STUB_BYTES=str(taken))
    assert f"the disk of {tmp_path} is full: " in str(ended)
    assert ended.code != 0


def test_one_that_turns_to_nan(tmp_path: Path) -> None:
    told: Told = []
    with pytest.raises(launch.Ended, match="step 2: policy_loss is nan: the weights are spoilt"):
        launch.run(process(tmp_path, "nan"), tmp_path, PATIENT, told.append)
    assert [item.number for item in told] == [1, 2]


def test_a_second_try_tells_nothing_twice(tmp_path: Path) -> None:
    for _ in range(2):
        told: Told = []
        with pytest.raises(launch.Ended):
            launch.run(process(tmp_path, "nan"), tmp_path, PATIENT, told.append)
        assert [item.number for item in told] == [1, 2]


DRIVER = """
import sys
from pathlib import Path
from tests.trainers.openrlhf import test_launch as t
from trainers.openrlhf import launch
folder = Path(sys.argv[1])
launch.run(t.process(folder, "deaf"), folder, t.PATIENT, lambda _: None)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_tree_ends_with_its_driver(tmp_path: Path, how: signal.Signals) -> None:
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, str(tmp_path)], stderr=subprocess.DEVNULL)
    log = tmp_path / "stub.log"
    _until(lambda: log.exists() and b"ready" in log.read_bytes())
    assert len(_writers(log)) >= 2
    driver.send_signal(how)
    assert driver.wait(30) != 0
    _until(lambda: not _writers(log))
    _until(lambda: (tmp_path / "stub.exit.json").exists())


def test_the_environment_is_the_plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "RAY_ADDRESS": "elsewhere:1",
        "LEAN_SERVER_API_KEY": "secret",
        "CUDA_VISIBLE_DEVICES": "4,5,6",
    }.items():
        monkeypatch.setenv(name, value)
    made = process(tmp_path, "environment")
    launch.run(made, tmp_path, PATIENT, lambda _: None)
    seen = json.loads(made.log.read_text())
    assert "RAY_ADDRESS" not in seen
    assert seen["LEAN_SERVER_API_KEY"] == "secret"
    assert str(Path(launch.__file__).parents[2]) in seen["PYTHONPATH"].split(os.pathsep)
    assert "secret" not in " ".join(made.argv)


def test_gpus_are_places_among_those_in_sight() -> None:
    made = process(Path("/x"), "environment")
    one = Process(**{**_fields(made), "gpus": (1, 2)})
    assert environment(one, {"CUDA_VISIBLE_DEVICES": "4,5,6"})["CUDA_VISIBLE_DEVICES"] == "5,6"
    assert environment(one, {})["CUDA_VISIBLE_DEVICES"] == "1,2"


def _fields(made: Process) -> dict[str, object]:
    return {name: getattr(made, name) for name in Process.__slots__}  # type: ignore[attr-defined]


def test_descendants_are_found_through_odd_names() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        assert child.pid in keeper.descendants(os.getpid())
    finally:
        child.kill()
        child.wait()
    assert child.pid not in keeper.descendants(os.getpid())


def _until(holds: object, seconds: float = 300.0) -> None:
    assert callable(holds)
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.05)
