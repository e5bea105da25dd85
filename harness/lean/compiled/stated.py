"""A declaration as a file states it, before anyone has checked it, and how the file's names become text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.lean.core.kernel import Constant


class BadFile(Exception):
    """The file is not what its format says; nothing in it counts."""


class BadLibrary(Exception):
    """The trusted side is at fault: a target or a module of the library is missing, changed or broken."""


@dataclass(frozen=True, slots=True)
class Stated:
    """One constant of a file. `constant.induct` of a recursor is the family that its name says."""

    constant: Constant
    group: tuple[str, ...] = ()
    """Names declared together with it (families of a mutual declaration)."""
    unchecked: str = ""
    """`unsafe` or `partial`: Lean's kernel has not vouched for it, and neither can we."""


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
