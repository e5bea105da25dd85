"""A sweep as people start it: the real `wandb sweep` and `wandb agent`, against a stand-in for the server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wandb_server import Server, environment, serving

pytestmark = pytest.mark.slow

SWEEP = """
program: harness
command: [harness, run, "${args_json_file}"]
method: grid
metric: {name: eval/smoke/pass_at_1, goal: maximize}
parameters:
  base: {value: embedded}
  rounds: {value: 0}
  evaluations:
    value:
      - {name: smoke, prover: portfolio, problems: {benchmark: smoke, split: test, limit: 4}}
  search: {parameters: {expansions: {values: [1, 32]}}}
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as found:
        yield found


def with_harness(folder: Path) -> str:
    """A PATH on which `harness` is this checkout's."""
    command = folder / "bin" / "harness"
    command.parent.mkdir()
    top = Path(__file__).parents[2]
    command.write_text(f'#!/bin/sh\nPYTHONPATH={top} exec {sys.executable} -m harness "$@"\n')
    command.chmod(0o755)
    return f"{command.parent}{os.pathsep}{os.environ['PATH']}"


class Workplace:
    """A folder with a sweep file, and the commands that are typed in it."""

    def __init__(self, server: Server, folder: Path, text: str) -> None:
        self.folder = folder
        self.runs = folder / "runs"
        (folder / "sweep.yaml").write_text(text)
        own = {"PATH": with_harness(folder), "HARNESS_RUNS": str(self.runs)}
        self.environment = environment(server, folder) | own

    def call(self, *command: str, **more: str) -> str:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            timeout=1200,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def wandb(self, *argv: str) -> str:
        return self.call(sys.executable, "-m", "wandb", *argv)

    def sweep(self) -> str:
        """Create the sweep; what `wandb agent` takes."""
        said = self.wandb("sweep", "--entity", "local", "--project", "toy", "sweep.yaml")
        made = re.search(r"wandb agent (\S+)", said)
        assert made is not None, said
        return made.group(1)


AGENT = """
import sys
from wandb import wandb_agent
from wandb.cli.cli import cli
wandb_agent.Agent.POLL_INTERVAL = 0.2
cli(["agent", sys.argv[1]])
"""
"""The client's own agent; it only looks after its runs more often than every five seconds."""

READ = """
import json, sys, wandb
api = wandb.Api()
sweep = api.sweep(sys.argv[1])
found = {}
for run in api.runs("local/toy"):
    (records,) = [a for a in run.logged_artifacts() if a.type == "records"]
    found[run.config["search"]["expansions"]] = {
        "pass": run.summary["eval/smoke/pass_at_1"],
        "history": [row["eval/smoke/solved"] for row in run.scan_history(keys=["eval/smoke/solved"])],
        "records": open(records.get_entry("records.jsonl").download()).read(),
    }
best = sweep.best_run().config["search"]["expansions"]
print(json.dumps({"state": sweep.state, "best": best, "runs": found}))
"""


def facts(text: str) -> set[tuple[object, ...]]:
    """Records without their timings."""
    found = set()
    for row in map(json.loads, text.splitlines()):
        attempt = row["attempt"]
        found.add(
            (row["problem_id"], attempt["proof"], row["verdict"]["status"], attempt["search"]["expanded"])
        )
    return found


def test_an_agent_runs_every_point_and_its_numbers_are_the_records(server: Server, tmp_path: Path) -> None:
    place = Workplace(server, tmp_path, SWEEP)
    sweep = place.sweep()
    place.call(sys.executable, "-c", AGENT, sweep)
    assert [one["state"] for one in server.dump()["sweeps"].values()] == ["FINISHED"]
    for run in server.runs():
        assert (run["state"], run["exit_code"]) == ("finished", 0)
        folder = place.runs / run["summary"]["eval/smoke/folder"]
        assert (
            run["summary"]["eval/smoke/solved"] == json.loads((folder / "summary.json").read_text())["solved"]
        )
    said = place.call(sys.executable, "-c", READ, sweep)
    read = json.loads(next(line for line in said.splitlines() if line.startswith("{")))
    assert (read["state"], read["best"]) == ("FINISHED", 32)
    assert read["runs"]["1"]["pass"] < read["runs"]["32"]["pass"] and len(read["runs"]["1"]["history"]) == 1
    here = tmp_path / "here"
    place.call("harness", "sweep", "sweep.yaml", "--runs", str(here), WANDB_MODE="disabled")
    mine = {path.parent.name: facts(path.read_text()) for path in here.glob("*/records.jsonl")}
    assert sorted(mine.values(), key=len) == sorted(
        (facts(run["records"]) for run in read["runs"].values()), key=len
    )
    assert mine.keys() == {path.parent.name for path in place.runs.glob("*/records.jsonl")}


LONG = """
command: [harness, run, "${args_json_file}"]
method: grid
parameters:
  base: {value: embedded}
  rounds: {value: 0}
  search.expansions: {value: 512}
  evaluations:
    values:
      - [{name: long, prover: portfolio, problems: {benchmark: core-curriculum, split: test}}]
      - [{name: short, prover: portfolio, problems: {benchmark: smoke, split: test, limit: 2}}]
"""


def test_a_point_that_is_stopped_early_keeps_its_records_and_the_sweep_goes_on(
    server: Server, tmp_path: Path
) -> None:
    place = Workplace(server, tmp_path, LONG)
    sweep = place.sweep()
    command = [sys.executable, "-c", AGENT, sweep]
    with subprocess.Popen(
        command, cwd=tmp_path, env=place.environment, stdout=subprocess.PIPE, text=True
    ) as agent:
        while not any(path.stat().st_size for path in place.runs.glob("embedded.long-*/records.jsonl")):
            time.sleep(0.1)
        server.stop_run(server.runs()[0]["name"])
        said = agent.communicate(timeout=1200)[0]
    assert agent.returncode == 0, said
    stopped, finished = server.runs()
    assert stopped["state"] == "killed" and (finished["state"], finished["exit_code"]) == ("finished", 0)
    (records,) = place.runs.glob("embedded.long-*/records.jsonl")
    lines = records.read_text().splitlines(keepends=True)
    assert 0 < len(lines) < 400 and all(line.endswith("\n") for line in lines)
    (table,) = [value for key, value in stopped["summary"].items() if key.startswith("problems/")]
    assert 0 < table["nrows"] <= len(lines)
    assert [one["state"] for one in server.dump()["sweeps"].values()] == ["FINISHED"]


EXPERIMENT = """
base: embedded
name: killed
rounds: 0
search.expansions: 512
evaluations:
  - {name: long, prover: portfolio, problems: {benchmark: core-curriculum, split: test, limit: 40}}
"""


def test_a_killed_run_goes_on_as_the_same_run_in_wandb(server: Server, tmp_path: Path) -> None:
    place = Workplace(server, tmp_path, EXPERIMENT)
    command = [
        str(tmp_path / "bin" / "harness"),
        "run",
        "sweep.yaml",
        "--plain",
        "--set",
        "runtime.concurrency=1",
    ]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=tmp_path, env=place.environment, **quiet) as run:  # type: ignore[call-overload]
        while not any(path.stat().st_size for path in place.runs.glob("killed.long-*/records.jsonl")):
            time.sleep(0.05)
        second = subprocess.run(command, cwd=tmp_path, env=place.environment, capture_output=True, text=True)
        run.kill()
    assert second.returncode in (0, 2), second.stderr  # refused, unless the first was already killed
    (records,) = place.runs.glob("killed.long-*/records.jsonl")
    kept = records.read_text().splitlines()
    place.call(*command)
    (mine,) = server.runs()
    assert (mine["state"], mine["exit_code"], len(mine["history"])) == ("finished", 0, 1)
    assert mine["summary"]["problems/long"]["nrows"] == 40
    assert mine["summary"]["eval/long/problems"] == 40 and len(kept) < 44
    assert records.read_text().splitlines()[: len(kept)] == kept
    assert len(list(place.runs.glob("tracking/killed-*/*.jsonl"))) == 3
