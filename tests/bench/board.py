"""What a board costs: python tests/bench/board.py [--runs 1000] [--problems 250] [--samples 4] [--folder DIR]

Makes a folder of runs (kept and reused with --folder), then measures, each in a process of its own: reading
and ranking runs that have no summaries yet, the same again, and building the page. `peak` is the process's
greatest resident memory.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from harness.records.store import RunStore
from tests.making import record, refs, session, spec

SEEDS, ALPHAS = 5, [round(0.05 * step, 2) for step in range(20)]


def settings(number: int) -> dict[str, Any]:
    """A sweep over KL, alpha and seed, each point measured on valid and test."""
    split, rest = ("valid", "test")[number % 2], number // 2
    seed, rest = rest % SEEDS, rest // SEEDS
    alpha, kl = ALPHAS[rest % len(ALPHAS)], rest // len(ALPHAS) / 1000
    return {
        "seed": seed,
        "search.alpha": alpha,
        "grpo": {"kl": kl, "samples": 8},
        "evaluation.name": split,
        "evaluation.problems": {"benchmark": "toy", "split": split, "limit": None, "max_difficulty": None},
    }


def make(root: Path, runs: int, problems: int, samples: int) -> None:
    """Folders with records and without summaries."""
    owed = refs(problems)
    for number in range(runs):
        chance = random.Random(number)
        changes = {
            **settings(number),
            "evaluation.samples": samples,
            "evaluation.k": sorted({1, samples}),
        }
        rows = [
            record(one.id, "proved" if chance.random() < 0.6 else "rejected", index, chance.randint(1, 64))
            for one in owed
            for index in range(samples)
        ]
        name = f"sweep.{changes['evaluation.name']}-{number:08x}"
        with RunStore.create_or_resume(root / name, spec(**changes), owed, session()) as store:
            store.append_many(rows)


WORK = """
import resource, sys, time
start = time.perf_counter()
from pathlib import Path
from harness.analysis.runs import load_runs
from harness.boards.ranking import Board, rank
runs, broken = load_runs(Path(sys.argv[1]))
assert not broken, broken
loaded = time.perf_counter()
select = {"split": "valid", "metric": "mean_expansions", "among": ("search.alpha",)}
board = Board.model_validate({"name": "b", "title": "b", "benchmarks": ("toy",), "split": "test", "select": select})
standing = rank(board, runs)
ranked = time.perf_counter()
told = {"runs": len(runs), "load_s": loaded - start, "rank_s": ranked - loaded}
if sys.argv[2] == "page":
    from harness.boards.page import page
    told["bytes"] = len(page(standing, "now").encode())
    told["page_s"] = time.perf_counter() - ranked
told["cpu_s"] = time.process_time()
told["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
import json; print(json.dumps(told))
"""  # noqa: E501


def measure(label: str, root: Path, what: str = "rank") -> None:
    """Run `WORK` in a process of its own and print what it says."""
    command = [sys.executable, "-c", WORK, str(root), what]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    print(f"{label:<28}" + "  ".join(f"{key} {value:,.2f}" for key, value in told.items()), flush=True)


def main() -> None:
    """Make, measure, print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=1000)
    options.add_argument("--problems", type=int, default=250)
    options.add_argument("--samples", type=int, default=4)
    options.add_argument("--folder", type=Path)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = given.folder or Path(scratch)
        start = time.perf_counter()
        if not any(root.glob("sweep.*")):
            make(root, given.runs, given.problems, given.samples)
        print(f"made in {time.perf_counter() - start:.0f} s", flush=True)
        measure("as found", root)
        measure("again", root)
        measure("again, with the page", root, "page")
    print(f"own peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
