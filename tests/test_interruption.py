"""Runs that are ended from outside: they say one line, keep every record, and go on with the same command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.bench.kills import moments

TOP = Path(__file__).parents[1]
RUN = (
    *("eval", "--benchmark", "core-curriculum", "--split", "test", "--prover", "portfolio", "--limit", "80"),
    *("--set", "rounds=0", "--set", "tracking.wandb=off", "--plain"),
)


def started(runs: Path, *, ignoring: bool = False) -> subprocess.Popen[str]:
    """The run in a process of its own; `ignoring` Ctrl-C as a script's background jobs do."""
    prepare = (lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) if ignoring else None
    return subprocess.Popen(
        [sys.executable, "-m", "harness", *RUN, "--runs", str(runs)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=TOP,
        env={**os.environ, "PYTHONPATH": str(TOP)},
        preexec_fn=prepare,
    )


def wait_for_records(runs: Path, least: int) -> Path:
    for _ in range(6000):
        for path in runs.glob("*/records.jsonl"):
            if path.read_bytes().count(b"\n") >= least:
                return path
        time.sleep(0.05)
    raise AssertionError("no record came")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("ignoring", [False, True])
def test_an_ended_run_says_one_line_and_keeps_its_records(
    tmp_path: Path, number: signal.Signals, ignoring: bool
) -> None:
    if ignoring and number is signal.SIGINT:
        pytest.skip("it is ignored")
    run = started(tmp_path, ignoring=ignoring)
    path = wait_for_records(tmp_path, 1)
    run.send_signal(number)
    out, err = run.communicate(timeout=300)
    assert run.returncode == 130 and out == "" and "Traceback" not in err, err
    last = err.splitlines()[-1]
    assert last.startswith("harness: interrupted; records and finished stages are kept")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert rows and len({(row["problem_id"], row["attempt"]["index"]) for row in rows}) == len(rows)


def test_a_runs_folder_that_is_deleted_stops_the_run(tmp_path: Path) -> None:
    run = started(tmp_path)
    path = wait_for_records(tmp_path, 1)
    path.parent.rename(tmp_path / "moved")
    out, err = run.communicate(timeout=300)
    assert run.returncode == 2 and out == "" and "Traceback" not in err
    assert f"{path}: was moved or deleted while the run worked" in err.splitlines()[-1]
    assert (tmp_path / "moved" / "records.jsonl").read_bytes().count(b"\n") < 84


@pytest.mark.slow
def test_a_few_random_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    """Two of the moments of which `python -m tests.bench.kills` tries a hundred."""
    assert moments(2, seed=1, root=tmp_path)["kills"] > 0
