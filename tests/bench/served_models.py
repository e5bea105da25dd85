"""The whole path over a real model server, held against the same weights in this process.

    python -m tests.bench.served_models [--model FOLDER] [--steps 1500] [--problems 60] [--runs DIR]

Makes a small prover with a chat template and warm-starts it (or takes a FOLDER that an earlier call made),
starts vLLM on the CPU over it, and measures theorems of `core-curriculum` over the embedded core four times:
whole proofs (greedy) and best-first search (beams), each through the server and in process. The texts must be
equal and their log-probabilities within 0.001; exit code 1 when they are not.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from harness.cli import main as harness
from harness.records.journal import read_rows
from harness.types import Record, Status
from tests.real_vllm.install import home_folder, install
from tests.real_vllm.server import serving

TOLERANCE = 1e-3
WHOLE = ("deepseek-prover-v2-non-cot", ("whole_proof.method=greedy", "whole_proof.max_new_tokens=200"))
SEARCH = (
    "bfs-prover",
    (
        "search.decode.method=beam",
        "search.decode.width=4",
        "search.decode.max_tactic_tokens=24",
        "search.expansions=16",
    ),
)


@dataclass(frozen=True)
class Run:
    """Records of one evaluation and how long it took."""

    records: dict[str, Record]
    seconds: float

    @property
    def line(self) -> str:
        """What it did, in figures."""
        attempts = [record.attempt for record in self.records.values()]
        proved = sum(record.verdict.status is Status.PROVED for record in self.records.values())
        expanded = sum(attempt.search.expanded for attempt in attempts if attempt.search)
        tokens = sum(attempt.usage.completion_tokens for attempt in attempts)
        done, unit = (expanded, "expansions") if expanded else (tokens, "tokens")
        pace = f"{done} {unit} in {self.seconds:.1f} s, {done / self.seconds:.1f} a second"
        return f"proved {proved}/{len(attempts)}, {pace}"


def measure(runs: Path, name: str, options: list[str], settings: tuple[str, ...], problems: int) -> Run:
    """One `harness eval`; records by problem."""
    started = time.perf_counter()
    command = ["eval", *options, "--name", name, "--runs", str(runs), "--plain", "--lean", "core"]
    command += ["--benchmark", "core-curriculum", "--split", "test", "--limit", str(problems)]
    quiet = ("tracking.wandb=off", "runtime.canaries=0", "lean.heartbeats=200000")
    for setting in (*settings, *quiet):
        command += ["--set", setting]
    if harness(command) != 0:
        raise SystemExit(f"harness {' '.join(command)} failed")
    seconds = time.perf_counter() - started
    [folder] = runs.glob(f"served.{name}-*")
    rows = (Record.from_json(row) for _, row in read_rows(folder / "records.jsonl"))
    return Run({record.problem_id: record for record in rows}, seconds)


def compare(served: Run, local: Run) -> tuple[int, int, float]:
    """(attempts, those that are equal, the largest difference of a log-probability)."""
    equal, worst = 0, 0.0
    for name, one in served.records.items():
        other = local.records[name]
        a, b = one.attempt, other.attempt
        equal += _told(one) == _told(other)
        if a.logprob is not None and b.logprob is not None:
            worst = max(worst, abs(a.logprob - b.logprob))
    return len(served.records), equal, worst


def _told(record: Record) -> tuple[object, ...]:
    """What must be equal: texts, verdict, and the counts of a search."""
    attempt = record.attempt
    search = attempt.search
    counts = () if search is None else (search.expanded, search.created, search.tactics_tried)
    return (attempt.proof, attempt.raw, record.verdict.status, *counts)


def main() -> int:
    """Run it; 1 when server and process differ."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--model", type=Path, help="a prover that an earlier call made")
    parser.add_argument("--steps", type=int, default=1500, help="training steps of a new one")
    parser.add_argument("--problems", type=int, default=60)
    parser.add_argument("--runs", type=Path, help="keep the runs there")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        runs, model = args.runs or Path(scratch) / "runs", args.model or Path(scratch) / "prover"
        if args.model is None:
            from tests.bench.tiny_prover import make_prover

            model.mkdir(parents=True)
            print("made", json.dumps(make_prover(model, args.steps)))
        with serving(install(home_folder()), model, Path(scratch) / "vllm.log") as url:
            wrong = 0
            for kind, (prompt, settings) in (("whole", WHOLE), ("search", SEARCH)):
                asked = ["--prompt", prompt, "--revision", "1"]
                outside = ["--server", url, "--model", model.name, *asked]
                inside = ["--model", str(model), *asked]
                served = measure(runs, f"{kind}-served", outside, settings, args.problems)
                local = measure(runs, f"{kind}-local", inside, settings, args.problems)
                count, equal, worst = compare(served, local)
                print(f"{kind}: served      {served.line}")
                print(f"{kind}: in process  {local.line}")
                print(f"{kind}: equal {equal} of {count}, log-probabilities within {worst:.1e}", flush=True)
                wrong += equal != count or worst > TOLERANCE
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
