"""A sweep as people start it: the real `wandb sweep` and `wandb agent`, against a stand-in for the server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
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


def test_an_agent_runs_every_point_and_its_numbers_are_the_records(server: Server, tmp_path: Path) -> None:
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    runs = tmp_path / "runs"
    env = environment(server, tmp_path) | {"PATH": with_harness(tmp_path), "HARNESS_RUNS": str(runs)}

    def wandb(*argv: str) -> str:
        command = [sys.executable, "-m", "wandb", *argv]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    said = wandb("sweep", "--entity", "local", "--project", "toy", "sweep.yaml")
    made = re.search(r"Creating sweep with ID: (\w+)", said)
    assert made is not None, said
    wandb("agent", f"local/toy/{made.group(1)}")
    assert [sweep["state"] for sweep in server.dump()["sweeps"].values()] == ["FINISHED"]
    seen = {}
    for run in server.runs():
        assert (run["state"], run["exit_code"]) == ("finished", 0)
        summary = run["summary"]
        seen[run["config"]["search"]["expansions"]] = summary["eval/smoke/pass_at_1"]
        stored = json.loads((runs / summary["eval/smoke/folder"] / "summary.json").read_text())
        assert summary["eval/smoke/solved"] == stored["solved"]
    assert set(seen) == {1, 32}
    assert seen[1] < seen[32]
