"""A compiled Lean library replayed through the project's own kernel, module by module."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from harness.errors import UserError
from harness.lean.compiled.judge import STACK, replay_module
from harness.lean.compiled.library import Library, index_of
from harness.lean.compiled.replay import Outcome, OutOfTime
from harness.lean.compiled.stated import BadFile, BadLibrary
from harness.lean.core.kernel import DEFAULT_STEPS
from harness.lean.core.nodes import shared_terms
from harness.lean.core.work import seconds_granted


@dataclass(frozen=True, slots=True)
class ModuleRow:
    """One module: how many declarations came to which outcome, and those not accepted by name."""

    module: str
    counts: Counter[Outcome]
    left: tuple[tuple[str, Outcome, str], ...] = field(default=())
    seconds: float = 0.0


def modules_of(folder: Path) -> list[str]:
    """The compiled modules below a folder. Raises `UserError` when there is none."""
    files = sorted(folder.rglob("*.olean"))
    if not files:
        raise UserError(f"{folder}: no .olean files; build the project first (lake build)")
    return [".".join(file.relative_to(folder).with_suffix("").parts) for file in files]


def run_library(roots: Sequence[Path], own: Path, indexes: Path, timeout_s: float) -> Iterator[ModuleRow]:
    """Replay every module of `own`, one of the roots, upon what the modules before it state.

    Raises `UserError` when a file of the library cannot be read.
    """
    sys.setrecursionlimit(max(STACK, sys.getrecursionlimit()))
    names = modules_of(own)
    try:
        library = Library(index_of(roots, names, indexes))
        for name in names:
            yield _replayed(library, name, timeout_s)
    except (BadFile, BadLibrary, OSError) as wrong:
        raise UserError(f"{own}: {wrong}") from wrong


def _replayed(library: Library, name: str, timeout_s: float) -> ModuleRow:
    started = perf_counter()
    counts: Counter[Outcome] = Counter()
    left: list[tuple[str, Outcome, str]] = []
    try:
        with shared_terms(), seconds_granted(timeout_s):
            for declared, outcome, detail in replay_module(
                library.before(name), library.module(name), DEFAULT_STEPS
            ):
                counts[outcome] += 1
                if outcome is not Outcome.ACCEPTED:
                    left.append((declared, outcome, detail))
    except OutOfTime as late:
        left.append((name, Outcome.OUT_OF_TIME, f"{late}; the rest of the module was not looked at"))
        counts[Outcome.OUT_OF_TIME] += 1
    return ModuleRow(name, counts, tuple(left), perf_counter() - started)
