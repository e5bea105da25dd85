"""`harness validate`: gold proofs that must be accepted, attacks that must not; exports for the kernel."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.audits.arena import arena_summary, run_arena
from harness.audits.gold import Failure, Validation, validate
from harness.audits.library import run_library
from harness.audits.museum import (
    MuseumRow,
    museum_folder,
    museum_summary,
    museum_table,
    reach_of,
    read_museum,
    run_museum,
)
from harness.benchmarks import loading
from harness.commands import common
from harness.commands.judges import check_can_judge, judge, lean_spec
from harness.commands.peers import peers
from harness.lean.compiled.replay import Outcome
from harness.lean.services.file import LeanCommand
from harness.lean.services.second_kernel import library_roots
from harness.paths import indexes
from harness.spec import LeanSpec
from harness.terminal.progress import Display, display
from harness.types import Level, Problem


def main(args: argparse.Namespace) -> int:
    """Check gold proofs, exhibits or exports; 1 when one is not judged as it must be."""
    common.need(
        sum([args.benchmark is not None, args.attacks, args.arena is not None, args.library is not None])
        == 1,
        "validate: name one BENCHMARK, or give --attacks, --arena PATH or --library PROJECT",
    )
    if args.library is not None:
        return library(args.library, args.timeout, args.json)
    if args.arena is not None:
        return arena(Path(args.arena), args.timeout, args.json)
    spec = lean_spec(args)
    common.need(args.attacks or not args.peers, "--peers: is about the museum; add --attacks")
    if args.peers:
        return peers(spec, display(args.plain), args.json)
    if args.attacks:
        return attacks(spec, display(args.plain), args.json)
    problems = loading.load(args.benchmark, args.split)
    check_can_judge(spec, problems, args.benchmark)
    found = check_gold(problems, spec, Level(args.level), display(args.plain))
    if args.json:
        common.print_json(as_json(found))
    else:
        print("\n".join(report(found)))
    return 0 if sound(found) else 1


def arena(place: Path, timeout_s: float, as_json: bool) -> int:
    """Show every export to the kernel; 1 when it accepts a bad one or refuses a good one."""
    common.need(place.exists(), f"validate: --arena {place}: no such file or folder")
    rows = []
    for row in run_arena(place, timeout_s):
        rows.append(row)
        if not as_json and (row.good is None or row.found.outcome is not _AS_IT_SHOULD[row.good]):
            detail = common.one_line(row.found.detail)[:160]
            print(f"{row.name}: {row.found.outcome}{' (WRONG)' * (not row.ok)} {detail}".rstrip())
    summary = arena_summary(rows)
    if as_json:
        each = [
            {
                "file": r.name,
                "outcome": r.found.outcome,
                "detail": r.found.detail,
                "ok": r.ok,
                "declarations": r.found.accepted,
                "seconds": round(r.seconds, 4),
            }
            for r in rows
        ]
        common.print_json({**summary, "rows": each})
    else:
        for label in ("good", "bad", "other"):
            counts = [f"{summary[f'{label}_{o.name.lower()}']} {o}" for o in Outcome]
            if any(row.good is {"good": True, "bad": False, "other": None}[label] for row in rows):
                print(f"{label}: {', '.join(counts)}")
        accepted, seconds = sum(r.found.accepted for r in rows), sum(r.seconds for r in rows)
        print(f"{len(rows)} files, {accepted} declarations accepted, {seconds:.1f} s")
    return 1 if summary["wrong"] else 0


def library(project: str, timeout_s: float, as_json: bool) -> int:
    """Replay a project's own modules through the kernel; 1 when it refuses a declaration."""
    roots = asyncio.run(library_roots(LeanCommand.of_project(project)))
    inside = [root for root in roots if Path(project).expanduser().resolve() in root.resolve().parents]
    common.need(bool(inside), f"validate: --library {project}: Lean finds no modules below this folder")
    rows, total = [], Counter[Outcome]()
    for row in run_library(roots, inside[0], indexes(), timeout_s):
        rows.append(row)
        total.update(row.counts)
        if not as_json:
            for name, outcome, detail in row.left:
                print(f"{row.module}: {name}: {outcome} {common.one_line(detail)[:160]}")
    if as_json:
        left = [
            {"module": r.module, "name": n, "outcome": o, "detail": d} for r in rows for n, o, d in r.left
        ]
        common.print_json({**{o.name.lower(): total[o] for o in Outcome}, "modules": len(rows), "left": left})
    else:
        seconds = sum(row.seconds for row in rows)
        counts = ", ".join(f"{total[o]} {o}" for o in Outcome)
        print(f"{len(rows)} modules: {counts}; {seconds:.1f} s")
    return 1 if total[Outcome.REFUSED] else 0


_AS_IT_SHOULD = {True: Outcome.ACCEPTED, False: Outcome.REFUSED}


def check_gold(problems: Sequence[Problem], spec: LeanSpec, level: Level, told: Display) -> Validation:
    """Every statement and gold proof of `problems` through the service of `spec`."""

    async def work() -> Validation:
        async with judge(spec) as verifier:
            with told.task(f"statements and gold proofs of {problems[0].benchmark}") as task:
                return await validate(
                    problems, verifier, level, lambda done: task.update(done, len(problems))
                )

    return asyncio.run(work())


def sound(found: Validation) -> bool:
    """Whether everything was stated, nothing rejected and nothing left unjudged."""
    return not (found.failures or found.unstated or found.unjudged or found.beyond)


def as_json(found: Validation) -> dict[str, Any]:
    """What `validate` found, as plain JSON."""
    return dataclasses.asdict(found)


def report(found: Validation) -> list[str]:
    """Lines for people: every statement and gold proof that failed, then the counts."""
    lines = [f"{item.split}/{item.id}: cannot be stated: {_short(item)}" for item in found.unstated]
    lines += [_line(item) for item in (*found.failures, *found.unjudged)]
    lines += [
        f"{each.split}/{each.id}: cannot be checked by the core: {_short(each)}" for each in found.beyond
    ]
    stated = f"{found.problems - len(found.unstated)} of {found.problems} problems can be stated"
    if not found.with_gold:
        return [*lines, f"{found.benchmark}: {stated}; none has a gold proof"]
    lines.append(
        f"{found.benchmark}: {found.proved} of {found.with_gold} gold proofs proved at level {found.level}, "
        f"{len(found.failures)} failed, {len(found.unjudged) + len(found.beyond)} unjudged; {stated}; "
        f"{found.seconds:.1f} s of checking"
    )
    lines += [f"  {count} x {reason}" for reason, count in found.by_reason.items()]
    if found.beyond:
        lines.append("  what the core cannot check, real Lean can: --lean file, repl or kimina")
    return lines


def _line(item: Failure) -> str:
    detail = _short(item)
    return f"{item.split}/{item.id}: {item.status} ({item.reason})" + (f": {detail}" if detail else "")


def _short(item: Failure) -> str:
    return common.one_line(item.detail)[:160]


def attacks(spec: LeanSpec, told: Display, as_json: bool) -> int:
    """Show every exhibit to the service; 1 when it accepts an attack, rejects a proof or fails."""
    exhibits = read_museum(museum_folder())

    async def work() -> list[MuseumRow]:
        async with judge(spec) as verifier:
            with told.task(f"{len(exhibits)} attacks and honest proofs, at both levels"):
                return await run_museum(verifier, exhibits, reach=await reach_of(verifier))

    rows = asyncio.run(work())
    summary = museum_summary(rows)
    if as_json:
        common.print_json({**summary, "rows": [_row(row) for row in rows]})
    else:
        print("\n".join(museum_table(rows)))
        left_out = len(exhibits) - len({row.exhibit.name for row in rows})
        if left_out:
            print(f"{left_out} exhibits need real Lean, some with Mathlib: --lean repl --project DIR")
    bad = summary["attacks_accepted"] + summary["honest_rejected"] + summary["unscored"]
    return 1 if bad else 0


def _row(row: MuseumRow) -> dict[str, Any]:
    return {
        "exhibit": row.exhibit.name,
        "attack": row.exhibit.row or None,
        "level": row.level,
        "status": row.verdict.status,
        "reason": row.verdict.reason,
        "expected": {"status": row.exhibit.status, "reasons": list(row.exhibit.reasons)},
        "ok": row.ok,
    }
