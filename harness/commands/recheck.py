"""`harness recheck`: the stored proofs of a run, judged again."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from harness.analysis.runs import RunView, open_run, resolve
from harness.audits.canaries import BENCHMARK, mix_canaries
from harness.audits.recheck import Rechecked, recheck, recheck_report
from harness.benchmarks import loading
from harness.commands import common
from harness.commands.judges import check_can_judge, judge, lean_spec, named
from harness.commands.rechecked import keep, opened
from harness.errors import UserError
from harness.spec import LeanSpec
from harness.terminal.progress import Display, display
from harness.types import Level, Problem, Status

CHUNK = 256


def main(args: argparse.Namespace) -> int:
    """Judge every stored proof again; 1 when one that was proved is not any more, or could not be judged.

    Nothing is written but, with `--keep`, a run of its own.
    """
    view = open_run(resolve(args.runs, args.run))
    if args.lean is None:
        args.lean = "kimina" if args.url else "repl" if args.project else view.get("lean.service", "core")
    spec = lean_spec(args)
    spec = spec.model_copy(update={"heartbeats": int(view.get("lean.heartbeats", spec.heartbeats))})
    problems = problems_of(view)
    check_can_judge(spec, problems, view.benchmark)
    level = Level(args.level)
    with opened(view, spec, level, args.runs) if args.keep else nullcontext() as store:
        rows = asyncio.run(_judged(view, problems, spec, level, display(args.plain)))
        if store is not None:
            keep(store, rows)
    kept = None if store is None else store.folder.name
    lost, unjudged = sum(map(_lost, rows)), sum(map(_unjudged, rows))
    if args.json:
        common.print_json(
            {"run": view.name, "level": args.level, "lean": spec.service, "kept": kept, **_figures(rows)}
        )
    else:
        print("\n".join(recheck_report(rows)))
        candidates = sum(row.old.attempt.proof is not None for row in rows)
        written = f"kept as {kept}" if kept else "nothing was written"
        print(f"{candidates} candidates judged again by {named(spec)} at level {args.level}; {written}")
        if lost:
            print(f"{lost} of them had been proved and are not any more")
        if unjudged:
            print(f"{unjudged} of them could not be judged, as told above")
    return 1 if lost or unjudged else 0


def problems_of(view: RunView) -> list[Problem]:
    """The problems of a run, canaries included. Raises `UserError` when the benchmark has them no more."""
    stored = loading.load(view.benchmark, view.split or None)
    known = {(problem.id, problem.revision): problem for problem in stored}
    found = []
    for ref in view.problems:
        if ref.canary:
            continue
        if ref.key not in known:
            raise UserError(
                f"{ref.id}: revision {ref.revision} is not in {view.benchmark} any more; "
                "recheck with the version of the benchmark that the run used"
            )
        found.append(known[ref.key])
    canaries = sum(ref.canary for ref in view.problems)
    if not canaries:
        return found
    # Which ones were mixed in depends on how many were asked for, which may be one more than there are.
    asked = int(view.get("runtime.canaries", canaries))
    return found + [item for item in mix_canaries(found, asked, 0) if item.benchmark == BENCHMARK]


async def _judged(
    view: RunView, problems: Sequence[Problem], spec: LeanSpec, level: Level, told: Display
) -> list[Rechecked]:
    records = list(view.records)
    rows: list[Rechecked] = []
    async with judge(spec) as verifier:
        with told.task(f"judging {view.name}") as task:
            for start in range(0, len(records), CHUNK):
                rows += await recheck(records[start : start + CHUNK], problems, verifier, level)
                task.update(len(rows), len(records))
    return rows


def _lost(row: Rechecked) -> bool:
    refused = row.new.verdict.status in (Status.REJECTED, Status.TIMEOUT)
    return row.old.verdict.status is Status.PROVED and refused


def _unjudged(row: Rechecked) -> bool:
    return row.changed and row.new.verdict.status is Status.INFRA


def _figures(rows: Sequence[Rechecked]) -> dict[str, Any]:
    return {
        "records": len(rows),
        "candidates": sum(row.old.attempt.proof is not None for row in rows),
        "changed": [
            {
                "id": row.old.problem_id,
                "revision": row.old.revision,
                "sample": row.old.attempt.index,
                "before": {"status": row.old.verdict.status, "reason": row.old.verdict.reason},
                "after": {
                    "status": row.new.verdict.status,
                    "reason": row.new.verdict.reason,
                    "detail": row.new.verdict.detail,
                },
            }
            for row in rows
            if row.changed
        ],
        "proved_no_more": sum(map(_lost, rows)),
        "not_judged": sum(map(_unjudged, rows)),
    }
