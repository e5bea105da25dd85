"""What an installation without any extra can do, run by one that has none: `python -m tests.slim_install`.

Two stored runs are made up; reading, comparing, ranking, the keys of an experiment and the doctor have to
work, and asking for what an extra brings has to name the command that installs it.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
import tempfile
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from harness import cli
from harness.benchmarks import loading
from harness.extras import EXTRAS, missing
from harness.records.store import RunStore
from harness.types import ProblemRef
from tests.making import record, spec


def main() -> int:
    """0 when everything that needs no extra works here; prints what does not."""
    there = [name for extra in EXTRAS for name in EXTRAS[extra].modules if name not in missing(extra)]
    if there:
        print(f"not a slim installation: {', '.join(there)} are installed")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        for name, statuses in (("a.search-0", "+-+-"), ("b.search-0", "++++")):
            store_run(runs / name, statuses)
        failed = [line for line in commands(runs) if cli.main([*line, "--runs", str(runs)]) != 0]
        failed += refusals(runs)
    for line in failed:
        print(f"failed without extras: harness {' '.join(line)}")
    return 1 if failed else 0


def commands(runs: Path) -> list[list[str]]:
    """What has to work."""
    return [
        ["runs"],
        ["compare", "a.search-0", "b.search-0"],
        ["leaderboard", "smoke"],
        ["leaderboard", "smoke", "--markdown"],
        ["show", "a.search-0"],
        ["spec", "search"],
        ["doctor"],
        ["data", "list"],
        ["validate", "smoke"],
        ["suggest", "⊢ True", "--symbolic"],
        ["premises", "core", "--limit", "3"],
        ["eval", "--prover", "portfolio", "--benchmark", "smoke", "--limit", "3"],
    ]


def refusals(runs: Path) -> list[list[str]]:
    """What has to be refused with the command that installs the extra."""
    asked = {
        "local": ["run", "embedded"],
        "pages": ["leaderboard", "smoke", "--html", str(runs / "board.html")],
        "serve": ["serve", "lean", "--port", "0"],
    }
    failed = []
    for extra, line in asked.items():
        said = StringIO()
        with redirect_stderr(said):
            code = cli.main([*line, "--runs", str(runs)])
        if code != 2 or f"'.[{extra}]'" not in said.getvalue():
            failed.append(line)
    return failed


def store_run(folder: Path, statuses: str) -> None:
    """A finished run on the first problems of `smoke`."""
    problems = loading.load("smoke")[: len(statuses)]
    refs = [ProblemRef.of(problem) for problem in problems]
    asked = spec(**{"experiment": folder.name.split(".")[0], "evaluation.problems.benchmark": "smoke"})
    with RunStore.create_or_resume(folder, asked, refs, {}) as store:
        for problem, status in zip(problems, statuses, strict=True):
            made = record(problem.id, "proved" if status == "+" else "rejected")
            store.append(
                dataclasses.replace(made, benchmark="smoke", split=problem.split, revision=problem.revision)
            )
        store.finish({})


if __name__ == "__main__":
    assert importlib.util.find_spec("pydantic") is not None
    sys.exit(main())
