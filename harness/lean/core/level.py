"""Universe levels: how they are written, compared and substituted.

`level_leq` holds for every value of the variables, which is what lets polymorphic constants be checked once.
"""

from __future__ import annotations

from typing import Any, TypeAlias

# ("z",) zero | ("s", l) | ("m", a, b) max | ("i", a, b) imax | ("p", name) | ("v", id) metavariable
Level: TypeAlias = tuple[Any, ...]


ZERO: Level = ("z",)


ONE: Level = ("s", ZERO)


MAX_LEVEL_WORK = 5_000
"""Steps of one comparison: case splits and rewriting under imax grow exponentially with a level's size."""


class TermTooLarge(Exception):
    """A term or a level is too large to be worked on."""


def lsucc(level: Level) -> Level:
    """The next universe."""
    return ("s", level)


def lmax(a: Level, b: Level) -> Level:
    """max, with the cheap simplifications."""
    if a == b or b == ZERO:
        return a
    if a == ZERO:
        return b
    if a[0] == "s" and b[0] == "s":
        return ("s", lmax(a[1], b[1]))
    return ("m", a, b)


def limax(a: Level, b: Level) -> Level:
    """imax: zero when `b` is zero, else max."""
    if b == ZERO:
        return ZERO
    if b[0] == "s":
        return lmax(a, b)
    if a in (ZERO, ONE) or a == b:
        return b
    return ("i", a, b)


def level_of(n: int) -> Level:
    """The closed level n."""
    out = ZERO
    for _ in range(n):
        out = ("s", out)
    return out


def subst_level(level: Level, table: dict[Any, Level], kind: str = "p") -> Level:
    """Replace parameters (kind "p") or metavariables (kind "v") by their entries in `table`."""
    tag = level[0]
    if tag == "z":
        return level
    if tag == kind:
        return table.get(level[1], level)
    if tag == "s":
        inner = subst_level(level[1], table, kind)
        return level if inner is level[1] else ("s", inner)
    if tag == "m":
        return lmax(subst_level(level[1], table, kind), subst_level(level[2], table, kind))
    if tag == "i":
        return limax(subst_level(level[1], table, kind), subst_level(level[2], table, kind))
    return level


def level_vars(level: Level, kind: str, out: list[Any]) -> list[Any]:
    """Names of parameters ("p") or ids of metavariables ("v") in order of appearance, appended to `out`."""
    if level[0] == kind:
        if level[1] not in out:
            out.append(level[1])
    else:
        for part in level[1:]:
            if isinstance(part, tuple):
                level_vars(part, kind, out)
    return out


def _find_imax_var(level: Level) -> Level | None:
    """A variable in the right arm of some imax, the thing to split on."""
    tag = level[0]
    if tag == "i":
        inner = level[2]
        if inner[0] in ("p", "v"):
            return inner
        return _find_imax_var(inner) or _find_imax_var(level[1])
    for part in level[1:]:
        if isinstance(part, tuple):
            found = _find_imax_var(part)
            if found:
                return found
    return None


def _push_imax(level: Level, work: list[int]) -> Level:
    """Rewrite imax a (max b c) and imax a (imax b c) so that every imax has a variable on its right.

    `work` holds the steps that are left; `TermTooLarge` when they are used up.
    """
    work[0] -= 1
    if work[0] < 0:
        raise TermTooLarge
    tag = level[0]
    if tag in ("z", "p", "v"):
        return level
    if tag == "s":
        return ("s", _push_imax(level[1], work))
    a, b = _push_imax(level[1], work), _push_imax(level[2], work)
    if tag == "m":
        return lmax(a, b)
    if b[0] == "m":
        return lmax(_push_imax(limax(a, b[1]), work), _push_imax(limax(a, b[2]), work))
    if b[0] == "i":
        return lmax(_push_imax(limax(a, b[2]), work), b)
    return limax(a, b)


def level_leq(a: Level, b: Level) -> bool:
    """Whether a <= b for every value of the variables (case split on the variables under imax).

    Raises `TermTooLarge` when that takes over `MAX_LEVEL_WORK` steps.
    """
    return _leq(a, b, 0, [MAX_LEVEL_WORK])


def _leq(a: Level, b: Level, gap: int, work: list[int]) -> bool:
    """a <= b + gap."""
    if gap >= 0 and _among(a, b):
        return True
    a, b = _push_imax(a, work), _push_imax(b, work)
    if a[0] == "m":  # before the split, which each part may need less of
        return _leq(a[1], b, gap, work) and _leq(a[2], b, gap, work)
    if gap >= 0 and _among(a, b):
        return True
    var = _find_imax_var(a) or _find_imax_var(b)
    if var is not None:
        for value in (ZERO, ("s", var)):
            table = {var[1]: value}
            if not _leq(subst_level(a, table, var[0]), subst_level(b, table, var[0]), gap, work):
                return False
        return True
    if a[0] == "s":
        return _leq(a[1], b, gap - 1, work)
    return _leq_max(a, b, gap)


def _among(a: Level, b: Level) -> bool:
    """Whether a is b, or stands in the maximum that b is."""
    return a == b or (b[0] == "m" and (_among(a, b[1]) or _among(a, b[2])))


def _leq_max(a: Level, b: Level, gap: int) -> bool:
    """a is zero or a variable; b is free of imax."""
    if b[0] == "m":
        return _leq_max(a, b[1], gap) or _leq_max(a, b[2], gap)
    if b[0] == "s":
        return _leq_max(a, b[1], gap + 1)
    if a == ZERO:
        return gap >= 0
    return a == b and gap >= 0


def level_eq(a: Level, b: Level) -> bool:
    """Equality for every value of the variables."""
    return a == b or (level_leq(a, b) and level_leq(b, a))
