"""Kill a run at random moments: no record may be lost or doubled, and it must end as one that nobody killed.

    python -m tests.bench.kills [--moments 100] [--seed 0]
    python -m tests.bench.kills --stages [--moments 10] [--seed 0]

Each moment starts `harness eval`, kills its process group with SIGKILL after a random time, and looks at the
records: the whole lines that were there stay, byte for byte, and no attempt stands there twice. A run that
was complete before its moment came is compared with an uninterrupted one, and the next moment begins another.

With `--stages` the run is a whole training of two rounds and its evaluation, once by GRPO and once by expert
iteration: a moment falls into a stage, which the next try goes on with, and weights are compared too.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TOP = Path(__file__).parents[2]
RUN = (
    *("eval", "--benchmark", "smoke", "--prover", "portfolio", "--plain"),
    *("--set", "rounds=0", "--set", "runtime.concurrency=4", "--set", "tracking.wandb=off"),
)


TRAINING = """
name: killed
seed: 1
lean: {service: core, level: strict}
train: {benchmark: core-curriculum, split: train, max_difficulty: 3, limit: 600}
generator: {hidden_size: 64, layers: 2, heads: 2, vocab_size: 300, context: 192, max_difficulty: 3,
            steps: 400, batch_size: 16, learning_rate: 5.0e-3}
rounds: 2
trajectories:
  problems: 60
  search: &small {alpha: 0.5, expansions: 16, tactic_calls: 96, decode: {width: 6, max_tactic_tokens: 24}}
value: {epochs: 6, held_out: 0.3, other_states: zero, batch_size: 16}
grpo: {kl: 0.01, samples: 4, prompts: 8, steps: 12, max_difficulty: 3}
expert_iteration: {steps: 150, batch_size: 16}
search: {<<: *small, alpha: 0.5}
whole_proof: {max_new_tokens: 32}
evaluations:
  - {name: search, prover: best_first,
     problems: {benchmark: core-curriculum, split: valid, limit: 40, max_difficulty: 3}}
tracking: {wandb: "off"}
runtime: {threads: 1, canaries: 2, save_every_s: 0.5}
"""
METHODS = ("grpo", "expert_iteration")


def training(folder: Path, method: str) -> tuple[str, ...]:
    """The command of a whole training, its file in `folder`."""
    path = folder / "killed.yaml"
    path.write_text(TRAINING, encoding="utf-8")
    return ("run", str(path), "--plain", "--set", f"improve.method={method}")


def started(runs: Path, command: tuple[str, ...] = RUN) -> subprocess.Popen[bytes]:
    """The run, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "harness", *command, "--runs", str(runs)],
        cwd=TOP,
        env={**os.environ, "PYTHONPATH": str(TOP)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def whole_lines(runs: Path) -> bytes:
    """The records so far, without a torn last line."""
    [path] = list(runs.glob("*/records.jsonl")) or [runs / "none"]
    text = path.read_bytes() if path.exists() else b""
    return text[: text.rfind(b"\n") + 1]


def torn(runs: Path) -> bool:
    """Whether the kill left half a line."""
    return any(path.read_bytes()[-1:] not in (b"", b"\n") for path in runs.glob("*/records.jsonl"))


def facts(lines: bytes) -> dict[tuple[str, int], Any]:
    """Records by problem and sample, times aside. Raises AssertionError when one stands there twice."""
    found: dict[tuple[str, int], Any] = {}
    for line in lines.splitlines():
        row = json.loads(line)
        key = (row["problem_id"], row["attempt"]["index"])
        assert key not in found, f"{key} stands there twice"
        search = {
            name: value for name, value in (row["attempt"]["search"] or {}).items() if name[-2:] != "_s"
        }
        row["attempt"]["search"], row["verdict"]["seconds"] = search, 0
        found[key] = row
    return found


def completed(runs: Path) -> tuple[dict[tuple[str, int], Any], float]:
    """The records of a run that nobody kills, and the seconds that it took."""
    start = time.monotonic()
    run = started(runs)
    _, said = run.communicate()
    assert run.returncode == 0, said.decode()
    return facts(whole_lines(runs)), time.monotonic() - start


def moments(count: int, seed: int, root: Path) -> dict[str, int]:
    """What `count` random moments came to. Raises AssertionError at the first record lost or doubled."""
    rng = random.Random(seed)
    wanted, seconds = completed(root / "whole")
    tally = {"kills": 0, "complete runs": 0, "resumed with records": 0, "torn lines": 0}
    runs, before = root / "killed", b""
    for _ in range(count):
        run = started(runs)
        try:
            _, said = run.communicate(timeout=rng.uniform(0, 1.2 * seconds))
            assert run.returncode == 0, said.decode()
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            run.communicate()
            tally["kills"] += 1
        lines = whole_lines(runs)
        assert lines.startswith(before), "a record that was there is gone"
        facts(lines)
        tally["resumed with records"] += bool(before)
        tally["torn lines"] += any(
            path.read_bytes()[-1:] not in (b"", b"\n") for path in runs.glob("*/records.jsonl")
        )
        before = lines
        if run.returncode == 0:
            assert facts(lines) == wanted, "not the records of an uninterrupted run"
            tally["complete runs"] += 1
            shutil.rmtree(runs)
            before = b""
    if runs.exists():
        assert completed(runs)[0] == wanted, "not the records of an uninterrupted run"
    return tally


def weights(runs: Path) -> dict[str, Any]:
    """Of every finished stage the hash of its weights, or its counts where it has none."""
    found: dict[str, Any] = {}
    for path in sorted(runs.glob("stages/*/stage.json")):
        sealed = path.with_name("checkpoint.json")
        told = json.loads((sealed if sealed.exists() else path).read_text(encoding="utf-8"))
        found[path.parent.name] = told.get("weights") or told["metrics"]
    return found


def stages(count: int, seed: int, root: Path) -> dict[str, int]:
    """What `count` random moments in trainings came to. Raises AssertionError at the first difference."""
    rng = random.Random(seed)
    tally = {"kills": 0, "complete trainings": 0}
    for place, method in enumerate(METHODS, start=1):
        whole, killed, command = root / f"{method}-whole", root / f"{method}-killed", training(root, method)
        start = time.monotonic()
        _finish(whole, command)
        seconds = time.monotonic() - start
        while tally["kills"] < count * place // len(METHODS):
            run = started(killed, command)
            try:
                _, said = run.communicate(timeout=rng.uniform(0.1, 0.5) * seconds)
                assert run.returncode == 0, said.decode()
            except subprocess.TimeoutExpired:
                os.killpg(run.pid, signal.SIGKILL)
                run.communicate()
                tally["kills"] += 1
                for path in killed.glob("stages/*.partial"):
                    kind = f"in {path.name.partition('-')[0]}"
                    tally[kind] = tally.get(kind, 0) + 1
            else:
                tally["complete trainings"] += _same(whole, killed)
                shutil.rmtree(killed)
        _finish(killed, command)
        tally["complete trainings"] += _same(whole, killed)
    return tally


def _finish(runs: Path, command: tuple[str, ...]) -> None:
    run = started(runs, command)
    _, said = run.communicate()
    assert run.returncode == 0, said.decode()


def _same(whole: Path, killed: Path) -> bool:
    assert weights(killed) == weights(whole), "not the weights of an uninterrupted training"
    assert facts(whole_lines(killed)) == facts(whole_lines(whole)), "not its records"
    return True


def main() -> int:
    """Print what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stages", action="store_true", help="kill whole trainings")
    parser.add_argument("--moments", type=int, default=None, help="100, with --stages 10")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        if args.stages:
            tally, came = stages(args.moments or 10, args.seed, Path(root)), "the same weights and records"
        else:
            tally, came = (
                moments(args.moments or 100, args.seed, Path(root)),
                "not one record lost or doubled",
            )
    print(", ".join(f"{count} {name}" for name, count in tally.items()), "-", came)
    return 0


if __name__ == "__main__":
    sys.exit(main())
