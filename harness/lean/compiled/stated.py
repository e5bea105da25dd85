"""A declaration as a file states it, before anyone has checked it, and how the file's names become text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.lean.core.kernel import Constant
from harness.lean.core.term import const_names


class BadFile(Exception):
    """The file is not what its format says; nothing in it counts."""


class UnknownFormat(BadFile):
    """The file may be right, but nobody here can tell: its format is none that is read."""


class BadLibrary(Exception):
    """The trusted side is at fault: a target or a module of the library is missing, changed or broken."""


UNSTATED = -1
"""A number of indices or fields that the format leaves to whoever reads it."""


@dataclass(frozen=True, slots=True)
class Stated:
    """One constant of a file. `constant.induct` of a recursor is the family that its name says."""

    constant: Constant
    group: tuple[str, ...] = ()
    """Names declared together with it (families of a mutual declaration)."""
    unchecked: str = ""
    """`unsafe` or `partial`: Lean's kernel has not vouched for it, and neither can we."""


def names_in(c: Constant) -> dict[str, None]:
    """Names of the constants that c needs, those it is declared with included."""
    out = const_names(c.type, {})
    if c.value is not None:
        const_names(c.value, out)
    for rule in c.rules:
        out[rule.ctor] = None
        const_names(rule.rhs, out)
    out.update(dict.fromkeys(c.ctors))
    if c.induct:
        out[c.induct] = None
    out.pop(c.name, None)
    return out


def in_order(groups: Sequence[list[Stated]]) -> Iterator[list[Stated]]:
    """Groups of what is declared together, each after those that it needs.

    Raises `BadFile` for declarations that need each other in a circle.
    """
    leader = {each.constant.name: k for k, group in enumerate(groups) for each in group}
    needs = [
        {leader[n] for s in group for n in names_in(s.constant) if leader.get(n, k) != k}
        for k, group in enumerate(groups)
    ]
    done: set[int] = set()
    for start in range(len(groups)):
        stack, path = [start], set[int]()
        while stack:
            top = stack[-1]
            rest = [k for k in needs[top] if k not in done]
            if top in done or not rest:
                stack.pop()
                path.discard(top)
                if top not in done:
                    done.add(top)
                    yield groups[top]
                continue
            if top in path:
                raise BadFile(f"{groups[top][0].constant.name} needs itself")
            path.add(top)
            stack += rest


_PLAIN = re.compile(r"[^\W\d«»][^\s.«»\x00-\x1f]*")


def part_text(part: str | int) -> str:
    """One part of a name. Different parts give different texts, and no part holds a bare dot."""
    if isinstance(part, int):
        return str(part)
    if _PLAIN.fullmatch(part):
        return part
    return "«" + part.replace("»", "»»") + "»"


def name_text(prefix: str, part: str | int) -> str:
    """The text of a name with one more part; different names have different texts."""
    return f"{prefix}.{part_text(part)}" if prefix else part_text(part)
