"""Whether two sides of runs can be compared, and what to keep in mind where they can. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.analysis.runs import RunView, budget
from harness.analysis.settings import varying


def conflicts(a: Sequence[RunView], b: Sequence[RunView]) -> list[str]:
    """What makes these sides unlike: problems, budgets, samples, levels, tiers, numbers of runs.

    Empty when nothing does. Solved in at least one of three runs is no match for solved in one of one.
    """
    runs = [*a, *b]
    found = [*_unlike_problems(runs), *_unlike_budgets(runs)]
    views: dict[str, Callable[[RunView], object]] = {
        "level": lambda run: run.get("lean.level"),
        "tier": lambda run: "/".join(tier for tier in run.summary.tiers if tier) or None,
    }
    for name, view in views.items():
        # A run that proved nothing has no tier to differ in.
        found += _differing(name, runs, view, unknown=name == "tier")
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
        told = mixed(side)
        if told:
            found.append(
                f"side {name} pools {len(side)} runs that differ in more than the seed: {', '.join(told)}"
            )
    seeds = [sorted(str(run.get("seed", 0)) for run in side) for side in (a, b)]
    if len(a) == len(b) > 1 and seeds[0] != seeds[1]:
        found.append(f"seeds differ, paired in order: {', '.join(seeds[0])} against {', '.join(seeds[1])}")
    return found


def mixed(side: Sequence[RunView]) -> list[str]:
    """The settings, beside the seed, in which the runs of one side differ."""
    return sorted({key for settings in varying([run.spec for run in side]) for key in settings} - {"seed"})


def _unlike_budgets(runs: Sequence[RunView]) -> list[str]:
    """One line: the limit that differs or, where several do, the whole budgets."""
    limits: dict[str, Callable[[RunView], object]] = {
        "samples": lambda run: budget(run.spec).samples,
        "expansions": lambda run: budget(run.spec).expansions,
        "tactic calls": lambda run: budget(run.spec).tactic_calls,
        "tokens": lambda run: budget(run.spec).tokens,
    }
    found = [line for name, view in limits.items() for line in _differing(name, runs, view)]
    return found if len(found) < 2 else _differing("budget", runs, lambda run: budget(run.spec).text)


def _differing(
    name: str, runs: Sequence[RunView], view: Callable[[RunView], object], unknown: bool = False
) -> list[str]:
    """A line with every run's value where they differ; `unknown` lets None be like all others."""
    values = {run.name: view(run) for run in runs}
    told = {str(value) for value in values.values() if value is not None or not unknown}
    listing = ", ".join(f"{value} in {run}" for run, value in values.items())
    return [f"{name} differs: {listing}"] if len(told) > 1 else []


def _unlike_problems(runs: Sequence[RunView]) -> list[str]:
    """A line for every other set of problems than the first run's; runs that share one are told once."""
    others = {run.denominator: run for run in reversed(runs[1:])}
    others.pop(runs[0].denominator, None)
    return [_unlike(runs[0], run) for run in reversed(others.values())]


def _unlike(first: RunView, other: RunView) -> str:
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
