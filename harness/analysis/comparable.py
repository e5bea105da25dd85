"""Whether two sides of runs can be compared, and what to keep in mind where they can. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.analysis.runs import RunView, budget
from harness.analysis.settings import varying


def conflicts(a: Sequence[RunView], b: Sequence[RunView]) -> list[str]:
    """What makes these sides unlike: problems, budgets, samples, levels, tiers, numbers of runs.

    Empty when nothing does. Solved in at least one of three runs is no match for solved in one of one.
    """
    runs, first = [*a, *b], a[0]
    found = [_unlike_problems(first, run) for run in runs[1:] if run.denominator != first.denominator]
    views: dict[str, Callable[[RunView], object]] = {
        "samples": lambda run: budget(run.spec).samples,
        "expansions": lambda run: budget(run.spec).expansions,
        "tactic calls": lambda run: budget(run.spec).tactic_calls,
        "tokens": lambda run: budget(run.spec).tokens,
        "level": lambda run: run.get("lean.level"),
        "tier": lambda run: "/".join(tier for tier in run.summary.tiers if tier) or None,
    }
    for name, view in views.items():
        values = {run.name: view(run) for run in runs}
        # A run that proved nothing has no tier to differ in.
        told = {str(value) for value in values.values() if value is not None or name != "tier"}
        if len(told) > 1:
            listing = ", ".join(f"{value} in {run}" for run, value in values.items())
            found.append(f"{name} differs: {listing}")
    if len(a) != len(b):
        found.append(f"numbers of runs differ: {len(a)} against {len(b)}")
    return found


def remarks(a: Sequence[RunView], b: Sequence[RunView]) -> list[str]:
    """What a reader should know of sides that can be compared: how Lean was asked, what was pooled."""
    found = []
    for key in ("service", "project", "heartbeats", "timeout_s"):
        values = {str(run.get(f"lean.{key}")) for run in [*a, *b]}
        if len(values) > 1:
            found.append(f"lean.{key} differs: {', '.join(sorted(values))}")
    for name, side in (("A", a), ("B", b)):
        told = sorted(
            {key for settings in varying([run.spec for run in side]) for key in settings} - {"seed"}
        )
        if told:
            found.append(
                f"side {name} pools {len(side)} runs that differ in more than the seed: {', '.join(told)}"
            )
    seeds = [sorted(str(run.get("seed", 0)) for run in side) for side in (a, b)]
    if len(a) == len(b) > 1 and seeds[0] != seeds[1]:
        found.append(f"seeds differ, paired in order: {', '.join(seeds[0])} against {', '.join(seeds[1])}")
    return found


def _unlike_problems(first: RunView, other: RunView) -> str:
    here, there = first.denominator, other.denominator
    revised = {name for name, _ in here - there} & {name for name, _ in there - here}
    parts = [
        f"{len(some)} {what} ({', '.join(sorted(some)[:3])}{', ...' if len(some) > 3 else ''})"
        for what, some in (
            (f"only in {first.name}", {name for name, _ in here - there} - revised),
            (f"only in {other.name}", {name for name, _ in there - here} - revised),
            ("at another revision", revised),
        )
        if some
    ]
    return f"problems differ: {len(here)} against {len(there)}, {', '.join(parts)}"
