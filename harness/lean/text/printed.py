"""A goal as Lean prints it, turned back into a statement whose first goal is that one. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

NAME = "suggested"
_UNIVERSE = re.compile(r"\bu_\d+\b")
_INACCESSIBLE = re.compile(r"✝[¹²³⁴⁵⁶⁷⁸⁹⁰]*")


@dataclass(frozen=True, slots=True)
class PrintedGoal:
    """One printed goal; lines that Lean broke are joined."""

    hypotheses: tuple[tuple[str, str], ...]
    """(names with blanks between, type) of each line above the turnstile."""
    target: str


def read_goal(text: str) -> PrintedGoal:
    """The parts of a printed goal; a `case` line is left out. An empty target: there is no `⊢`."""
    lines: list[str] = []
    for line in text.split("\n"):
        if line.startswith((" ", "\t")) and lines:
            lines[-1] += " " + line.strip()
        elif line.strip() and not line.startswith("case "):
            lines.append(line.strip())
    found = [line.partition(" : ") for line in lines if not line.startswith("⊢") and " : " in line]
    target = next((line[1:].strip() for line in lines if line.startswith("⊢")), "")
    return PrintedGoal(tuple((names, kind) for names, _, kind in found), target)


def statement_of(text: str) -> str:
    """A theorem whose initial goal is the printed goal `text`, as far as what is printed can be read again.

    Names that a text cannot use (`h✝`) become ones that it can; `same_goal` knows of that.
    """
    goal = read_goal(text)
    levels = sorted(set(_UNIVERSE.findall(text)), key=lambda level: (len(level), level))
    universes = f".{{{', '.join(levels)}}}" if levels else ""
    binders = []
    for names, kind in goal.hypotheses:
        is_instance = names.split("✝")[0].startswith("inst")
        binders.append(f"[{kind}]" if is_instance else f"({_usable(names)} : {_usable(kind)})")
    return " ".join([f"theorem {NAME}{universes}", *binders, f": {_usable(goal.target)}"])


def same_goal(one: str, other: str) -> bool:
    """Whether two printed goals say the same: white space, `case` lines and unusable names apart."""
    return _essence(one) == _essence(other)


def _essence(text: str) -> tuple[list[tuple[str, str]], str]:
    goal = read_goal(text)
    apart = [(name, kind) for names, kind in goal.hypotheses for name in names.split()]
    return (
        [(_usable(name), " ".join(_usable(kind).split())) for name, kind in apart],
        " ".join(_usable(goal.target).split()),
    )


def _usable(text: str) -> str:
    return _INACCESSIBLE.sub("_old", text)
