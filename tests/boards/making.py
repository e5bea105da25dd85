"""A small board for the tests of its page: three alphas of two seeds each, texts that try to break out."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import json
import re
from collections.abc import Mapping
from typing import Any

from harness.analysis.runs import RunView
from harness.boards.definition import Board
from harness.types import Problem, Record
from tests.making import record, refs, run, session

NASTY = "<script>alert(1)</script>\x1b[31m\u202e</pre>"


def board(**changes: Any) -> Board:
    return Board.model_validate(
        {"name": "b", "title": "Toy", "benchmarks": ("toy",), "split": "test", **changes}
    )


def outcome(solved: int, problems: int, samples: int = 4) -> list[Record]:
    """The first `solved` problems proved in half of the samples, the others rejected with a nasty message."""
    found = []
    for number in range(problems):
        for index in range(samples):
            proved = number < solved and index % 2 == 0
            made = record(f"p{number:03}", "proved" if proved else "rejected", index, 1 + number + index)
            spent = dataclasses.replace(made.attempt.usage, completion_tokens=7 + number)
            made = dataclasses.replace(made, attempt=dataclasses.replace(made.attempt, usage=spent))
            made = dataclasses.replace(made, verdict=dataclasses.replace(made.verdict, seconds=0.5 + number))
            if not proved:
                verdict = dataclasses.replace(made.verdict, reason="error", detail=NASTY)
                made = dataclasses.replace(made, verdict=verdict)
            found.append(made)
    return found


def sweep(problems: int = 12) -> list[RunView]:
    """Three alphas, two seeds, and one run that does not qualify."""
    runs = []
    for alpha, solved in ((0.25, 10), (0.5, 7), (1.0, 4)):
        for seed in (0, 1):
            changes = {
                "search.alpha": alpha,
                "seed": seed,
                "evaluation.samples": 4,
                "evaluation.k": [1, 4],
                "generator": {"digest": f"g{seed}", "steps": 8},
            }
            runs.append(run(f"a{alpha:g}-{seed}", outcome(solved - seed, problems), refs(problems), changes))
    late = {"search.alpha": 0.75, "evaluation.samples": 4, "evaluation.k": [1, 4]}
    runs.append(
        run("<script>alert(2)</script>", outcome(3, problems), refs(problems), late, [session(dirty=True)])
    )
    return runs


def statements(benchmark: str, split: str) -> Mapping[tuple[str, str], Problem]:
    """Statements of the toy problems, one of them nasty."""
    return {
        (f"p{i:03}", f"rev-p{i:03}"): Problem(
            f"p{i:03}", benchmark, split, "", f"theorem p{i} : True -- {NASTY}", f"p{i}"
        )
        for i in range(12)
    }


def packed(html: str, name: str = "data") -> Any:
    """What lies compressed in the page."""
    found = re.search(rf'<script type="text/plain" id="{name}">([^<]*)</script>', html)
    assert found is not None
    return json.loads(gzip.decompress(base64.b64decode(found[1])))
