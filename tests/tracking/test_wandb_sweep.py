"""A sweep as people start it: the real `wandb sweep` and `wandb agent`, against a stand-in for the server."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

STANDIN = Path(__file__).parents[2] / ".." / "shared" / "wandb" / "wandb_standin.py"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not STANDIN.is_file(), reason="the server's stand-in is not beside the project"),
]

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
def server() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, str(STANDIN), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                dump(url)
                break
            except urllib.error.URLError:
                time.sleep(0.1)
        yield url
    finally:
        process.kill()
        process.wait()


def dump(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url}/_dump", timeout=5) as answer:
        data: dict[str, Any] = json.load(answer)
    return data


def test_an_agent_runs_every_point_and_its_numbers_are_the_records(server: str, tmp_path: Path) -> None:
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    folders = {f"WANDB_{name}_DIR": str(tmp_path / name) for name in ("CONFIG", "CACHE", "DATA")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    login = {"WANDB_BASE_URL": server, "WANDB_API_KEY": "local" + "0" * 36, "WANDB_ERROR_REPORTING": "false"}
    environment = {**os.environ, **folders, **login, "PATH": path, "HARNESS_RUNS": str(tmp_path / "runs")}

    def wandb(*argv: str) -> str:
        command = [sys.executable, "-m", "wandb", *argv]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    said = wandb("sweep", "--entity", "local", "--project", "toy", "sweep.yaml")
    made = re.search(r"Creating sweep with ID: (\w+)", said)
    assert made is not None, said
    wandb("agent", f"local/toy/{made.group(1)}")
    runs = dump(server)["runs"]
    seen = {}
    for run in runs.values() if isinstance(runs, dict) else runs:
        assert (run["state"], run["exitcode"]) == ("finished", 0)
        summary = run["summary"]
        seen[run["config"]["search"]["expansions"]] = summary["eval/smoke/pass_at_1"]
        stored = json.loads((tmp_path / "runs" / summary["eval/smoke/folder"] / "summary.json").read_text())
        assert summary["eval/smoke/solved"] == stored["solved"]
    assert set(seen) == {1, 32}
    assert seen[1] < seen[32]
