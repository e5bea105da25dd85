"""The whole path over a real model server, held against the same weights in this process.

    python -m tests.bench.served_models [--model FOLDER] [--steps 1500] [--problems 60] [--runs DIR]

Makes a small prover with a chat template and warm-starts it (or takes a FOLDER that an earlier call made),
starts vLLM on the CPU over it, and measures theorems of `core-curriculum`: whole proofs (greedy) and best-
first search (beams), in process over the embedded core, through the server over the core, and through it
over the real Kimina server where that is installed (its REPL is the core, so verdicts and states are
the same). Texts and verdicts must be equal and log-probabilities within 0.001; exit code 1 when they are not.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from harness.cli import main as harness
from harness.records.journal import read_rows
from harness.types import Record, Status
from tests.lean.services.real_kimina import kimina_server, missing
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
    command = ["eval", *options, "--name", name, "--runs", str(runs), "--plain"]
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


@dataclass(frozen=True)
class Compared:
    """Two runs, record by record."""

    equal: int
    """Records with the same texts and verdicts."""
    counted: int
    """Of those: the same tokens and counts of the search too. Of beams vLLM returns another one at times: it
    also ends one whose terminator is not among the best of its step."""
    worst: float
    """The largest difference of a log-probability."""


def compare(served: Run, local: Run) -> Compared:
    """How the records of two runs differ."""
    equal, counted, worst = 0, 0, 0.0
    for name, one in served.records.items():
        other = local.records[name]
        a, b = one.attempt, other.attempt
        same = (a.proof, a.raw, one.verdict.status) == (b.proof, b.raw, other.verdict.status)
        equal += same
        counted += same and _counts(one) == _counts(other)
        if a.logprob is not None and b.logprob is not None:
            worst = max(worst, abs(a.logprob - b.logprob))
    return Compared(equal, counted, worst)


def _counts(record: Record) -> tuple[object, ...]:
    search = record.attempt.search
    counts = () if search is None else (search.expanded, search.created, search.tactics_tried)
    return (record.attempt.usage, *counts)


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
        with ExitStack() as servers:
            url = servers.enter_context(serving(install(home_folder()), model, Path(scratch) / "vllm.log"))
            lean = {"over the core": ["--lean", "core"]}
            if why := missing():
                print(f"left out: {why}")
            else:
                checker = servers.enter_context(kimina_server(Path(scratch), repls=2))
                lean["over Kimina"] = ["--lean", "kimina", "--url", checker, "--workers", "2"]
            wrong = 0
            for kind, (prompt, settings) in (("whole", WHOLE), ("search", SEARCH)):
                asked = ["--prompt", prompt, "--revision", "1"]
                inside = ["--model", str(model), *asked, "--lean", "core"]
                local = measure(runs, f"{kind}-local", inside, settings, args.problems)
                print(f"{kind}, in process: {local.line}")
                for number, (place, service) in enumerate(lean.items()):
                    outside = ["--server", url, "--model", model.name, *asked, *service]
                    served = measure(runs, f"{kind}-served-{number}", outside, settings, args.problems)
                    wrong += told(f"{kind}, served {place}", served, local)
    return 1 if wrong else 0


def told(name: str, served: Run, local: Run) -> bool:
    """Print how a served run stands to the one in process; whether they differ."""
    count, found = len(served.records), compare(served, local)
    print(f"{name}: {served.line}")
    print(f"{name}: equal {found.equal} of {count}, log-probabilities within {found.worst:.1e}")
    print(f"{name}: {found.counted} of them in every count and token too", flush=True)
    return found.equal != count or found.worst > TOLERANCE


if __name__ == "__main__":
    raise SystemExit(main())
