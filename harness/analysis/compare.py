"""A against B on the same problems: who solves what, by how much, and whether that could be chance. Pure.

Each side is one run, or several of one setting under different seeds. Problems are aligned by id and
revision and are the unit of chance: seeds of one problem are averaged first, so three seeds of 240 theorems
are 240 pairs, not 720. Every difference is B - A and every ratio B / A.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.analysis.breakdown import CategoryRow, by_category
from harness.analysis.comparable import conflicts, remarks
from harness.analysis.equal_budgets import EqualBudget, equal_budgets
from harness.analysis.figures import JOINT, Figure, Sides, figures, passed_difference
from harness.analysis.naming import names
from harness.analysis.runs import RunView
from harness.analysis.sides import families_of, side
from harness.analysis.statistics import holm
from harness.analysis.unions import UnionPart, union_parts
from harness.analysis.value_models import ValueModels, value_models
from harness.errors import UserError
from harness.types import ProblemRef


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `compare` found."""

    a: tuple[str, ...]
    """Names of A's runs."""
    b: tuple[str, ...]
    problems: int
    """Problems of both sides."""
    both: tuple[str, ...]
    """Ids solved by both, in at least one attempt each; the next three likewise."""
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    neither: tuple[str, ...]
    unscored: tuple[str, ...]
    """Ids without a scored attempt on one side at least: in none of the four lists, and in no figure."""
    figures: tuple[Figure, ...]
    categories: tuple[CategoryRow, ...] = ()
    """The first four lists counted by category; empty where there is only one."""
    equal: tuple[EqualBudget, ...] = ()
    """Both sides within the same spending."""
    models: ValueModels | None = None
    """The value models of both sides, where both ask one."""
    unions: tuple[UnionPart, ...] = ()
    """What each prover of a side that is a union adds."""
    families: int = 0
    """Families of problems, where the benchmark names any: then these are the units of chance."""
    seeds: tuple[tuple[str, str, float], ...] = ()
    """Names of each pair of runs, in seed order, and their difference of the first figure."""
    warnings: tuple[str, ...] = ()
    asked: tuple[str, str] = ("", "")
    """How A and B were named by whoever asked: checkpoints, or patterns of runs."""
    called: tuple[str, ...] = ()
    """What a person would call the setting of A, and that of B."""


def compare(
    a: Sequence[RunView], b: Sequence[RunView], ks: Sequence[int] | None = None, force: bool = False
) -> Comparison:
    """A against B. `ks` defaults to the k that every run reports.

    Raises UserError when problems, budgets, samples, levels, tiers or the numbers of runs are unlike, naming
    the difference; `force` compares the common problems all the same and turns the differences into warnings.
    """
    if not a or not b:
        raise UserError("compare needs at least one run on each side")
    found = conflicts(a, b)
    if found and not force:
        raise UserError(f"not comparable: {'; '.join(found)} (--force compares what is common)")
    common = _common([*a, *b])
    if not common:
        raise UserError("not comparable: no problem at the same revision is in every run")
    ks = list(ks or _shared_ks([*a, *b]))
    left, right = side(a, common, ks), side(b, common, ks)
    scored = [one for one in common if left.tries[one.key] and right.tries[one.key]]
    lists: dict[tuple[bool, bool], list[str]] = {(x, y): [] for x in (True, False) for y in (True, False)}
    for one in scored:
        lists[left.solved(one.key), right.solved(one.key)].append(one.id)
    sides = Sides(left, right, [one.key for one in scored], families_of(scored))
    judged = set(sides.keys)
    return Comparison(
        a=tuple(run.name for run in left.runs),
        b=tuple(run.name for run in right.runs),
        problems=len(common),
        both=tuple(lists[True, True]),
        only_a=tuple(lists[True, False]),
        only_b=tuple(lists[False, True]),
        neither=tuple(lists[False, False]),
        unscored=tuple(one.id for one in common if one.key not in judged),
        figures=tuple(figures(sides, ks)),
        categories=by_category(scored, lambda one: left.solved(one.key), lambda one: right.solved(one.key)),
        equal=equal_budgets(sides),
        models=value_models(sides),
        unions=union_parts(sides),
        families=len(set(sides.families.values())) if sides.families else 0,
        seeds=_by_seed(sides, ks[0]),
        warnings=(*found, *remarks(a, b)),
        called=tuple(names([left.runs[0].spec, right.runs[0].spec], [len(a), len(b)])),
    )


def adjust(found: Sequence[Comparison]) -> list[Comparison]:
    """The comparisons with the p-values of all their figures adjusted (Holm) for each other."""
    ps = [figure.p for one in found for figure in one.figures if figure.p is not None]
    adjusted = iter(holm(ps))
    return [
        replace(
            one,
            figures=tuple(
                figure if figure.p is None else replace(figure, adjusted=next(adjusted))
                for figure in one.figures
            ),
        )
        for one in found
    ]


def headline(found: Comparison, margin: float | None = None) -> str:
    """The comparison in one plain sentence about B."""
    passed = found.figures[0] if found.figures else None
    if passed is None or passed.estimate.value is None:
        return "Nothing can be compared: no problem has a scored attempt on both sides."
    told = {"better": "proves more", "worse": "proves fewer", "equivalent": "proves as many"}
    outcome = passed.verdict(margin)
    points = f"{passed.name} {100 * passed.estimate.value:+.1f} points"
    proofs = f"{told.get(outcome or '', 'is undecided on proofs')} ({points})"
    nodes = next((figure for figure in found.figures if figure.name == JOINT), None)
    if nodes is None or nodes.estimate.value is None or nodes.verdict(margin) is None:
        return f"B {proofs}."
    change = 100 * abs(nodes.estimate.value - 1)
    word = "fewer" if nodes.estimate.value < 1 else "more"
    effort = f"needs {change:.0f} % {word} nodes on what both prove"
    return f"B {proofs} and {effort}: {nodes.verdict(margin)} on nodes, {outcome} on proofs."


def _common(runs: Sequence[RunView]) -> list[ProblemRef]:
    shared = frozenset.intersection(*(run.denominator for run in runs))
    return sorted((one for one in runs[0].problems if one.key in shared), key=lambda one: one.key)


def _shared_ks(runs: Sequence[RunView]) -> list[int]:
    sets = [set(map(int, run.get("evaluation.k", [1]))) for run in runs]
    return sorted(set.intersection(*sets)) or [1]


def _by_seed(sides: Sides, k: int) -> tuple[tuple[str, str, float], ...]:
    a, b = sides.a, sides.b
    if len(a.runs) != len(b.runs) or len(a.runs) == 1:
        return ()
    found = []
    for left, right in zip(a.runs, b.runs, strict=True):
        refs = [[one for one in run.problems if one.key in a.tries] for run in (left, right)]
        pair = [side([run], own, [k]) for run, own in zip((left, right), refs, strict=True)]
        value = passed_difference(Sides(pair[0], pair[1], sides.keys), k)
        if value is not None:
            found.append((left.name, right.name, value))
    return tuple(found)
