"""What a run of 202,000 records costs to open, to finish and to compare with another such:
python -m tests.bench.large_run [--against PATH]

Each step runs in a process of its own; memory is its peak beyond that of the same process before the step.
`--against` names another checkout of this project (`git worktree add ...`), measured beside this one.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.records.folder import RECORDS
from harness.records.store import RunStore
from tests.making import record, ref, session, spec

HERE = Path(__file__).resolve().parents[2]

STEPS = {
    "open": "run = open_run(folder); assert run.summary.problems",
    "finish": (
        "store = RunStore.create_or_resume(folder, spec, list(problems), {})\n"
        "store.finish(dataclasses.asdict(summarize_run(store.spec, store.problems, store.each())))\n"
        "store.close()"
    ),
    "compare": (
        "other = open_run(folder.with_name('other'))\n"
        "for run in (open_run(folder), other): assert run.stored(), 'finished runs'\n"
        "began = time.process_time()\n"
        "assert compare([open_run(folder)], [other]).problems"
    ),
}
PROGRAM = """
import dataclasses, json, resource, sys, time
from pathlib import Path
import numpy
from harness.analysis.compare import compare
from harness.analysis.runs import open_run, summarize_run
from harness.records.store import RunStore
folder = Path(sys.argv[1])
spec, problems = json.loads((folder / "spec.json").read_text()), open_run(folder).problems
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
base, began = peak(), time.process_time()
{step}
print(json.dumps([time.process_time() - began, base, peak() - base]))
"""


def fill(folder: Path, problems: int, samples: int) -> None:
    """A run of that many records, a third of them proofs, the last problems canaries."""
    refs = [ref(f"p{n:03}", canary=n >= problems - 4) for n in range(problems)]
    with RunStore.create_or_resume(folder, spec(**{"evaluation.samples": samples}), refs, session()):
        pass
    with (folder / RECORDS).open("w") as file:
        for number in range(problems * samples):
            index, n = divmod(number, problems)
            made = record(f"p{n:03}", "rejected" if number % 3 else "proved", index, 1 + number % 60)
            row = made.to_json()
            row["attempt"] |= {"raw": "Let us see. " * 20, "seed": number * 7919 % 2**32}
            row["attempt"]["search"] |= {"policy_s": number * 1e-3, "lean_s": number * 7e-4}
            row["attempt"]["usage"] |= {"completion_tokens": number % 997}
            row["verdict"] |= {"seconds": number % 1013 * 1e-3, "detail": "unsolved goals " * 5}
            file.write(json.dumps(row) + "\n")


def measured(checkout: Path, folder: Path, step: str) -> tuple[float, float, float]:
    """CPU seconds, and MiB before and beyond, of one step under the code of a checkout."""
    if step != "compare":
        (folder / "summary.json").unlink(missing_ok=True)
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("{step}", STEPS[step]), str(folder)],
        cwd=checkout,  # where `-c` imports from
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, base, more = json.loads(told.stdout)
    return seconds, base, more


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--problems", type=int, default=404)
    parser.add_argument("--samples", type=int, default=500)
    told = parser.parse_args()
    checkouts = {"here": HERE} | ({"there": told.against.resolve()} if told.against else {})
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "large"
        fill(folder, told.problems, told.samples)
        shutil.copytree(folder, folder.with_name("other"))
        measured(HERE, folder.with_name("other"), "finish")
        figures = {}
        for step in STEPS:
            for name, checkout in checkouts.items():
                seconds, base, more = measured(checkout, folder, step)
                summary = json.loads((folder / "summary.json").read_text())
                figures.setdefault(step, []).append({**summary, "records": None})  # when, not what
                print(f"{step:<8}{name:<8}{seconds:7.2f} s CPU  {base:5.0f} + {more:4.0f} MiB")
            assert all(summary == figures[step][0] for summary in figures[step]), f"{step}: other figures"


if __name__ == "__main__":
    main()
