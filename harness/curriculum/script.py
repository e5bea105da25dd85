"""From the moves of a shortest proof to a tactic script with canonical names.

Hypotheses are h1, h2, ...: a new one is one above the highest in its goal. Variables are those the theorem
gives and then x1, x2, ... in the order they are introduced.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.curriculum.formula import Formula
from harness.curriculum.search import Goal, Move, Searcher

Named = list[tuple[str, Formula]]


def script(
    searcher: Searcher, goal: Goal, hypotheses: Sequence[Formula], variables: Sequence[str]
) -> list[str]:
    """The tactics of the proof that `searcher` has found for `goal`, one a line, first goal first."""
    named = [(f"h{number}", item) for number, item in enumerate(hypotheses, start=1)]
    lines: list[str] = []
    _write(searcher, goal, named, list(variables), lines)
    return lines


def _write(searcher: Searcher, goal: Goal, named: Named, variables: list[str], lines: list[str]) -> None:
    move = searcher.best[goal][1]
    name = {item: name for name, item in reversed(named)}
    used = "" if move.used is None else name[move.used]
    new = ["x" + str(1 + sum(item[0] == "x" for item in variables))] if _introduces(move, variables) else []
    given = [*(variables[number] for number in move.terms if number < len(variables))]
    given += [name[item] for item in move.given]
    first = 1 + max((int(item[1:]) for item, _ in named), default=0)
    groups = [[f"h{first + place}" for place in range(len(added))] for added in move.new]
    lines.append(_line(move, used, given, new, groups))
    kept = list(named)
    if move.name in ("obtain", "rcases"):
        kept.remove((used, move.used or ()))
    for part, group, added in zip(move.goals, groups, move.new, strict=True):
        _write(searcher, part, [*kept, *zip(group, added, strict=True)], variables + new, lines)


def _introduces(move: Move, variables: Sequence[str]) -> bool:
    """Whether the tactic brings a new free variable, numbered one above those there are."""
    return move.name in ("intro", "obtain") and any(number >= len(variables) for number in move.terms)


def _line(move: Move, used: str, given: list[str], new: list[str], groups: list[list[str]]) -> str:
    names = [*new, *(groups[0] if groups else [])]
    if move.name == "intro":
        return f"intro {names[0]}"
    if move.name == "obtain":
        return f"obtain ⟨{', '.join(names)}⟩ := {used}"
    if move.name == "rcases":
        return f"rcases {used} with {' | '.join(group[0] for group in groups)}"
    if move.name == "have":
        return f"have {names[0]} := {' '.join([used, *given])}"
    if move.name == "refine":
        return f"refine ⟨{given[0]}, ?_⟩"
    return f"apply {used}" if move.name == "apply" else move.name
