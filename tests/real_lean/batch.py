"""Many candidates in one file, for questions of quantity: what real Lean says to each, at some ms apiece.

The audit is left out here: these are proofs of our own, not answers of a model, and what is asked is whether
Lean's elaborator and kernel take them.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.lean.text.assemble import Assembly
from harness.lean.verdicts.replies import read_output

SIZE = 200
"""Candidates in one file."""

PROCESSES = 2
TIMEOUT_S = 300

_OPTIONS = "set_option linter.all false\n"
_BARRIER = "example : True := trivial\n"
"""After each candidate: an error about what it left open is reported here."""


def complaints(lean: Path, candidates: Sequence[Assembly]) -> list[str | None]:
    """Lean's first error (or its warning of a sorry) about each candidate; None where it has none.

    The candidates have no header. Raises `RuntimeError` when `lean` does not end as it should.
    """
    files = [candidates[start : start + SIZE] for start in range(0, len(candidates), SIZE)]
    with ThreadPoolExecutor(PROCESSES) as pool:
        return [said for found in pool.map(lambda file: _ask(lean, file), files) for said in found]


def _ask(lean: Path, candidates: Sequence[Assembly]) -> list[str | None]:
    text, ends = _OPTIONS, []
    for number, candidate in enumerate(candidates):
        # A namespace each: several candidates may prove the same theorem.
        text += f"namespace N{number}\n{candidate.candidate}\n{_BARRIER}end N{number}\n"
        ends.append(text.count("\n"))
    with tempfile.TemporaryDirectory(prefix="harness-batch-") as folder:
        file = Path(folder) / "Batch.lean"
        file.write_text(text, encoding="utf-8", newline="")
        argv = [lean, "--json", "-DmaxErrors=0", file]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=TIMEOUT_S)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"lean ended with status {done.returncode}: {done.stderr[-500:]}")
    said: list[str | None] = [None] * len(candidates)
    for note in read_output(done.stdout).notes:
        if note.is_error or note.says_sorry:
            at = next(number for number, end in enumerate(ends) if note.place.line <= end)
            said[at] = said[at] or note.data
    return said
