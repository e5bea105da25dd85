"""Two rounds of co-training from one file, asked through real vLLM servers that the run starts and ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from harness import checkpoints
from harness.cli import main
from harness.experiment.selection import select
from harness.processes.keeper import descendants
from harness.records.journal import read_rows
from harness.spec import ProblemsSpec
from tests.experiment.test_run_servers import nothing_left
from tests.processes.test_servers import free_port
from tests.real_vllm.prover import FAMILY, make_prover

pytestmark = pytest.mark.vllm

TOP = Path(__file__).parents[2]
TRAINER = TOP / "tests" / "trainers" / "openrlhf" / "stub.py"
VERSIONS = {
    **{"openrlhf": "0.11.2", "vllm": "0.29.0", "ray": "2.55.0", "deepspeed": "0.19.6"},
    **{"transformers": "5.15.0", "torch": "2.13.0", "flash_attn": "2.8.3"},
}
TRAIN = {"benchmark": "core-curriculum", "split": "train", "limit": 16, "max_difficulty": 2}
VALID = {"benchmark": "core-curriculum", "split": "valid", "limit": 4, "max_difficulty": 2}
BUDGET = {"expansions": 6, "tactic_calls": 24}
GREEDY = {"kind": "whole_proof", "method": "greedy"}


def experiment(folder: Path, generator: Path, vllm: Path) -> dict[str, Any]:
    """GRPO itself is a stand-in that moves weights; all else is real."""
    trainer = folder / "openrlhf"
    trainer.write_text(
        f"#!/bin/sh\nif [ \"$1\" = -c ]; then echo '{json.dumps(VERSIONS)}'; exit; fi\n"
        f'exec {sys.executable} {TRAINER} "$@"\n'
    )
    trainer.chmod(0o755)
    # As a run has it where there is no GPU; one is said to be here, for the stand-in.
    server = folder / "vllm"
    whole = "--no-enable-chunked-prefill"
    server.write_text(f'#!/bin/sh\n[ "$1" = -c ] && exec {vllm} "$@"\nexec {vllm} "$@" {whole}\n')
    server.chmod(0o755)
    openrlhf = {
        **{"placement": "colocated", "engines": 1, "vllm_memory": 0.2, "zero_stage": 2, "attention": "sdpa"},
        **{"packing": False, "micro_batch": 4, "gradient_checkpointing": False, "chat_template": True},
        "python": str(trainer),
    }
    decode = {"method": "sample", "width": 4, "temperature": 0.8, "max_tactic_tokens": 24}
    return {
        "name": "rounds",
        "lean": {"service": "core"},
        "train": TRAIN,
        "generator": {"checkpoint": str(generator), "prompt": FAMILY.name},
        "rounds": 2,
        "trajectories": {"problems": 16, "search": {"alpha": 0.5, **BUDGET, "decode": decode}},
        "value": {
            "trainer": {"processes": 1, "micro_batch": 8, "max_tokens": 128},
            **{"epochs": 1, "batch_size": 8, "held_out": 0.5},
        },
        "improve": {"backend": "openrlhf", "openrlhf": openrlhf},
        "grpo": {"samples": 2, "prompts": 4, "steps": 2, "max_difficulty": 3},
        "search": {"alpha": 0.5, **BUDGET, "decode": decode},
        "whole_proof": {"temperature": 0.5, "max_new_tokens": 128},
        "evaluations": [
            {"name": "search", "prover": "best_first", "problems": VALID},
            {"name": "greedy", "prover": GREEDY, "problems": VALID},
        ],
        "tracking": {"wandb": "off"},
        "runtime": {"threads": 1, "canaries": 0, "concurrency": 16},
        "node": {
            **{"gpus": 1, "cpus": 4, "memory_gb": 64.0},
            "serving": {"enforce_eager": True, "port": free_port(), "python": str(server)},
        },
    }


def test_rounds_are_asked_through_servers_that_come_and_go(
    vllm_python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")  # The stand-in for OpenRLHF needs none, its checks do.
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    problems = [item for part in (TRAIN, VALID) for item in select(ProblemsSpec(**part))]
    generator = make_prover(tmp_path / "prover", problems)
    checkpoints.seal(generator, "generator", prompt_format="other", parent=None, metrics={})
    file, runs = tmp_path / "rounds.json", tmp_path / "runs"
    file.write_text(json.dumps(experiment(tmp_path, generator, vllm_python)))
    _killed(file, runs)
    assert main(["run", str(file), "--runs", str(runs), "--plain"]) == 0
    begun = re.findall(r"^1 vLLM server of (\w+?)\b\S* \.\.\.$", capsys.readouterr().err, re.MULTILINE)
    # A round's own generator each, the second guided by the first value model; both evaluations share a
    # generator, and the first asks a value model too.
    assert begun == ["prover", "grpo", "value", "grpo", "value"]
    assert nothing_left()
    trained = _stages(runs)
    assert [len(trained[kind]) for kind in ("trajectories", "value", "grpo")] == [2, 2, 2]
    for stage in trained["trajectories"]:
        told = json.loads((stage / "servers" / "generator-0.exit.json").read_text())
        assert told["ended"] == "stopped"
        assert json.loads((stage / "stage.json").read_text())["metrics"]["solved"] > 0
    [search], [greedy] = runs.glob("rounds.search-*"), runs.glob("rounds.greedy-*")
    assert all(row["attempt"]["search"]["expanded"] for _, row in read_rows(search / "records.jsonl"))
    spec = json.loads((search / "spec.json").read_text())
    assert spec["generator"]["served"] == spec["value"]["served"] == "vllm"
    last = next(item for item in trained["grpo"] if item.name.endswith(spec["generator"]["digest"]))
    assert _proofs(greedy) == _proofs(_in_process(file, runs, last))
    assert any(proof for proof in _proofs(greedy).values())


def _killed(file: Path, runs: Path) -> None:
    """The driver is killed while its first server loads; nothing of it is left a moment later."""
    command = [sys.executable, "-m", "harness", "run", str(file), "--runs", str(runs), "--plain"]
    driver = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(TOP)})
    until = time.monotonic() + 300
    while not any(runs.glob("stages/*/servers/generator-0.log")) or len(descendants(driver.pid)) < 3:
        assert time.monotonic() < until and driver.poll() is None
        time.sleep(0.1)
    family = descendants(driver.pid)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    while any(Path(f"/proc/{number}/exe").exists() for number in family):
        assert time.monotonic() < until
        time.sleep(0.1)


def _stages(runs: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in sorted(runs.glob("stages/*/stage.json")):
        found.setdefault(path.parent.name.rpartition("-")[0], []).append(path.parent)
    return found


def _in_process(file: Path, runs: Path, generator: Path) -> Path:
    """The greedy evaluation of one of the generators by transformers in this process."""
    given = [{"name": "here", "prover": GREEDY, "problems": VALID}]
    data = json.loads(file.read_text()) | {"rounds": 0, "evaluations": given}
    data["generator"]["checkpoint"] = str(generator)
    data["node"] = {}
    here = file.with_name("here.json")
    here.write_text(json.dumps(data))
    assert main(["run", str(here), "--runs", str(runs), "--plain"]) == 0
    [folder] = runs.glob("rounds.here-*")
    return folder


def _proofs(folder: Path) -> dict[str, str]:
    return {row["problem_id"]: row["attempt"]["raw"] for _, row in read_rows(folder / "records.jsonl")}
