"""Points in processes of their own: GPUs shared out, ends told, one process ended without the others."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import pytest

from harness.experiment import files
from harness.experiment.evaluation import evaluations
from harness.experiment.gpus import visible
from harness.experiment.plan import plan
from harness.experiment.workers import PointEnded, PointTask, Processes, shares


@pytest.mark.parametrize(
    ("slots", "devices", "given"),
    [
        (2, ["0", "1", "2", "3"], [["0", "1"], ["2", "3"]]),
        (3, ["0", "1", "2", "3"], [["0"], ["1"], ["2"]]),
        (4, ["5", "7"], [["5"], ["7"], ["5"], ["7"]]),
        (2, [], [[], []]),
    ],
)
def test_gpus_are_shared_out_evenly(slots: int, devices: list[str], given: list[list[str]]) -> None:
    assert shares(slots, devices) == given


def test_only_visible_gpus_are_shared_out() -> None:
    assert visible({"CUDA_VISIBLE_DEVICES": "3, GPU-ab"}) == ["3", "GPU-ab"]
    assert visible({"CUDA_VISIBLE_DEVICES": ""}) == []


def task(number: int, expansions: int = 4, runs: int = 3) -> PointTask:
    problems = {"benchmark": "smoke", "split": "test", "limit": runs}
    point = {
        "base": "embedded",
        "rounds": 0,
        "tracking.wandb": "off",
        "search.expansions": expansions,
        "evaluations": [{"name": "smoke", "prover": "portfolio", "problems": problems}],
    }
    return PointTask(number, f"search.expansions={expansions}", files.resolve(point, "point"), "toy", point)


def waited(worker: Processes, count: int) -> dict[int, PointEnded]:
    found: dict[int, PointEnded] = {}
    while len(found) < count:
        found |= {item.number: item for item in worker.ended()}
        time.sleep(0.05)
    return found


def test_points_leave_their_records_and_a_failed_one_its_last_line(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    (folder / "logs").mkdir(parents=True)
    worker = Processes(2, folder, tmp_path / "runs", devices=["4", "6"])
    worker.start(task(0))
    broken = task(1)
    parameters = {**broken.parameters, "seed": -1}  # refused by whoever resolves it
    worker.start(dataclasses.replace(broken, parameters=parameters))
    ended = waited(worker, 2)
    assert (ended[0].code, ended[1].code) == (0, 2)
    assert "seed: " in ended[1].error and ended[1].error.endswith(f"see {folder / 'logs' / 'point-1.log'}")
    (mine,) = evaluations(plan(task(0).spec))
    assert (mine.folder(tmp_path / "runs") / "summary.json").is_file()


def test_each_process_has_its_own_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "logs").mkdir()
    fake = tmp_path / "python"
    fake.write_text('#!/bin/sh\necho "harness: on $CUDA_VISIBLE_DEVICES"\nexit 3\n')
    fake.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(fake))
    worker = Processes(2, tmp_path, tmp_path / "runs", devices=["4", "6", "7", "9"])
    for number in (0, 1):
        worker.start(task(number))
    said = {number: item.error.split(";")[0] for number, item in waited(worker, 2).items()}
    assert said == {0: "on 4,6", 1: "on 7,9"}


def test_closing_ends_what_still_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "logs").mkdir()
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\nexec sleep 60\n")
    fake.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(fake))
    worker = Processes(1, tmp_path, tmp_path / "runs", devices=[])
    worker.start(task(0))
    worker.close()
    assert list(worker.ended()) == []


def test_points_that_share_a_run_make_it_once(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    worker = Processes(2, tmp_path, tmp_path / "runs", ["--set=value.gamma=0.5"], devices=[])
    for number in (0, 1):
        worker.start(task(number, runs=12))
    assert [item.code for item in waited(worker, 2).values()] == [0, 0]
    (records,) = (tmp_path / "runs").glob("embedded.smoke-*/records.jsonl")
    lines = records.read_text().splitlines()
    assert len(lines) == len(set(lines)) == 12 + 4
