"""A batch of compiled candidates, judged in a process of its own: `python -m harness.lean.compiled JOB`.

JOB is a JSON file: folders of the library (`roots`), where indexes lie (`indexes`), seconds for a case
(`timeout_s`) and the `cases`. One line of JSON for each case goes to standard output, in order, as it is
known: the finding, or `{"fault": ..}` where the trusted side is at fault (a target, the library).
"""

from __future__ import annotations

import gc
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.lean.compiled.judge import CompiledProof, judge
from harness.lean.compiled.library import Library, index_of
from harness.lean.compiled.module import Module
from harness.lean.compiled.olean import open_module
from harness.lean.compiled.stated import BadFile, BadLibrary


def main(argv: list[str]) -> int:
    """Judge the cases of the job."""
    job = json.loads(Path(argv[0]).read_text(encoding="utf-8"))
    gc.freeze()
    libraries: dict[tuple[str, ...], Library] = {}
    for item in job["cases"]:
        print(json.dumps(_answer(job, _case(item), libraries)), flush=True)
    return 0


def _answer(job: Any, case: CompiledProof, libraries: dict[tuple[str, ...], Library]) -> dict[str, Any]:
    try:
        return asdict(judge(_library(job, case, libraries), case, float(job["timeout_s"])))
    except (BadLibrary, BadFile, OSError) as fault:
        return {"fault": f"{type(fault).__name__}: {fault}"}


def _case(item: Any) -> CompiledProof:
    target, candidate = Path(item["target"]), Path(item["candidate"])
    return CompiledProof(target, item["target_name"], candidate, item["check_name"])


def _library(job: Any, case: CompiledProof, known: dict[tuple[str, ...], Library]) -> Library:
    """The library that the target imports, under a new index if none has been made."""
    imports = tuple([each.module for each in Module(open_module(case.target)).imports])
    if imports not in known:
        roots = [Path(root) for root in job["roots"]]
        known[imports] = Library(index_of(roots, imports, Path(job["indexes"])))
    return known[imports]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
