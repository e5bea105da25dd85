"""One candidate judged from its compiled file, where nothing of it runs.

Compared: the checking theorem's statement with that of the target, which was compiled alone, and all that the
statement stands on. Collected: the axioms, by a walk of our own. Replayed through the kernel: whatever the
theorem uses from the candidate's own file. Imported constants are taken as their modules state them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from time import perf_counter

from harness.lean.compiled.library import Library
from harness.lean.compiled.module import Module
from harness.lean.compiled.olean import StructError, open_module
from harness.lean.compiled.replay import Outcome, replay, without_params
from harness.lean.compiled.stated import BadFile, BadLibrary, Stated, in_order, names_in
from harness.lean.core.declarations import Constant, KernelEnv
from harness.lean.core.kernel import DEFAULT_STEPS
from harness.lean.core.level import TermTooLarge
from harness.lean.core.nodes import shared_terms
from harness.lean.core.term import same
from harness.lean.core.work import OutOfTime, seconds_granted

STACK = 20_000
ALLOWED = frozenset({"propext", "Classical.choice", "Quot.sound"})


class JudgedAs(StrEnum):
    """What the compiled file shows. What a replay makes of a declaration has the same name here."""

    PROVED = "proved"
    STATEMENT = "statement"
    """Another statement, or other definitions below it; or a name of the library declared again."""
    AXIOMS = "axioms"
    SORRY = "sorry"
    REFUSED = "refused"
    """The kernel refuses a declaration, or the file is none."""
    DECLINED = "declined"
    OUT_OF_TIME = "out of time"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome, with what was looked at and how long it took."""

    found: JudgedAs
    detail: str = ""
    axioms: tuple[str, ...] = ()
    replayed: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    """By step: open, compare, axioms, replay."""


@dataclass(frozen=True, slots=True)
class CompiledProof:
    """What is to be judged: `check` in the candidate's file proves what `target` states in its own."""

    target: Path
    target_name: str
    candidate: Path
    check_name: str


class _Refusal(Exception):
    def __init__(self, found: JudgedAs, detail: str) -> None:
        super().__init__(detail)
        self.found = found


def judge(library: Library, case: CompiledProof, timeout_s: float, steps: int = DEFAULT_STEPS) -> Judgement:
    """The finding on one case. Any failure of the candidate's file is a refusal.

    Raises `BadLibrary` when the target's file or the library is at fault.
    """
    sys.setrecursionlimit(max(STACK, sys.getrecursionlimit()))
    try:
        target = Module(open_module(case.target))
        stated = target.get(case.target_name)
    except (BadFile, OSError) as wrong:
        raise BadLibrary(f"{case.target}: {wrong}") from wrong
    if stated is None or stated.constant.kind != "theorem" or target.version != library.version():
        raise BadLibrary(f"{case.target} does not state {case.target_name} for this library")
    judged = _Case(library, target, stated.constant, steps)
    try:
        with shared_terms(), seconds_granted(timeout_s):
            return judged.run(case)
    except _Refusal as refusal:
        return judged.finding(refusal.found, str(refusal))
    except (BadFile, OSError, StructError) as wrong:
        return judged.finding(JudgedAs.REFUSED, f"compiled file: {wrong}")
    except (OutOfTime, TermTooLarge, RecursionError) as late:
        return judged.finding(JudgedAs.OUT_OF_TIME, str(late) or type(late).__name__)


class _Case:
    def __init__(self, library: Library, target: Module, wanted: Constant, steps: int) -> None:
        self.library, self.target, self.wanted, self.steps = library, target, wanted, steps
        self.seconds: dict[str, float] = {}
        self.axioms: tuple[str, ...] = ()
        self.replayed = 0
        self._own: dict[str, Stated] = {}

    def finding(self, found: JudgedAs, detail: str = "") -> Judgement:
        return Judgement(found, detail, self.axioms, self.replayed, self.seconds)

    def run(self, case: CompiledProof) -> Judgement:
        with _timed(self.seconds, "open"):
            self.candidate = Module(open_module(case.candidate))
            self._same_ground()
        with _timed(self.seconds, "compare"):
            self._same_statement(case.check_name)
        with _timed(self.seconds, "axioms"):
            self._collect(case.check_name)
        with _timed(self.seconds, "replay"):
            return self._replay()

    # ------------------------------------------------------------ comparison
    def _same_ground(self) -> None:
        if self.candidate.version != self.target.version or self.candidate.imports != self.target.imports:
            raise _Refusal(JudgedAs.STATEMENT, "compiled by another Lean, or with other imports")
        for name in self.candidate.positions:
            if self.library.has(name):
                raise _Refusal(JudgedAs.STATEMENT, f"{name} of the library is declared again")

    def own(self, name: str) -> Stated | None:
        """A constant of the candidate's file."""
        if name not in self._own:
            stated = self.candidate.get(name)
            if stated is None:
                return None
            self._own[name] = stated
        return self._own[name]

    def _same_statement(self, check: str) -> None:
        stated = self.own(check)
        if stated is None or stated.constant.kind != "theorem":
            raise _Refusal(JudgedAs.STATEMENT, f"no theorem {check} in the compiled file")
        a, b = stated.constant, self.wanted
        if len(a.params) != len(b.params) or not same(without_params(a).type, without_params(b).type):
            raise _Refusal(JudgedAs.STATEMENT, "the compiled statement differs from the one compiled alone")
        stack, seen = list(names_in(Constant(b.name, "axiom", b.params, b.type))), set[str]()
        while stack:
            name = stack.pop()
            if name in seen or name not in self.target.positions:
                continue
            seen.add(name)
            ours, theirs = self.target.get(name), self.own(name)
            if ours is None or theirs is None or not _alike(ours.constant, theirs.constant):
                raise _Refusal(JudgedAs.STATEMENT, f"{name}, which the statement needs, is another one")
            stack += names_in(ours.constant)

    # ------------------------------------------------------------ axioms
    def _collect(self, check: str) -> None:
        """What the check uses of its own file, and the axioms below it."""
        self.used: dict[str, Stated] = {}
        axioms: set[str] = set()
        stack = [check]
        while stack:
            name = stack.pop()
            if name in self.used:
                continue
            stated = self.own(name)
            if stated is None:
                if not self.library.has(name):
                    if name in _OPTIONAL:
                        continue
                    raise _Refusal(JudgedAs.REFUSED, f"unknown constant {name}")
                axioms |= self.library.axioms(name)
                continue
            self.used[name] = stated
            if stated.constant.kind == "axiom":
                axioms.add(name)
            stack += names_in(stated.constant)
            stack += [n for n in stated.group if self.own(n) is not None]
        self.axioms = tuple(sorted(axioms))
        foreign = sorted(axioms - ALLOWED)
        if foreign:
            found = JudgedAs.SORRY if "sorryAx" in foreign else JudgedAs.AXIOMS
            raise _Refusal(found, f"depends on {', '.join(foreign)}")

    # ------------------------------------------------------------ replay
    def _replay(self) -> Judgement:
        env = self.library.env
        for group in ordered(self.used, self.candidate):
            done = replay(env, group, self.steps)
            if done.outcome is not Outcome.ACCEPTED:
                name = group[0].constant.name
                return self.finding(JudgedAs(done.outcome.value), f"{name}: {done.detail}")
            env = done.env
            self.replayed += len(group)
        return self.finding(JudgedAs.PROVED)


_OPTIONAL = frozenset({"String.mk", "String.ofList"})
"""One of the two spells strings, as the version has it."""


def _alike(a: Constant, b: Constant) -> bool:
    """The same declaration, up to the names of level parameters and bound variables."""
    shape = [(c.kind, len(c.params), c.nparams, c.nindices, c.nfields, c.ctors, c.induct) for c in (a, b)]
    if shape[0] != shape[1]:
        return False
    x, y = without_params(a), without_params(b)
    if not same(x.type, y.type):
        return False
    if a.kind == "theorem" or x.value is None or y.value is None:
        return a.kind == "theorem" or x.value is y.value
    return same(x.value, y.value)


def ordered(used: Mapping[str, Stated], module: Module) -> Iterator[list[Stated]]:
    """Groups of declarations, each after what it needs: families with all that belongs to them.

    Raises `BadFile` for declarations that need each other in a circle.
    """
    known: set[str] = set()
    groups: list[list[Stated]] = []
    for name, stated in used.items():
        if name not in known:
            groups.append(_group(stated, module))
            known.update(each.constant.name for each in groups[-1])
    return in_order(groups)


def _group(stated: Stated, module: Module) -> list[Stated]:
    """All that is declared together with a constant."""
    c = stated.constant
    if c.kind not in ("inductive", "ctor", "rec"):
        return [stated]
    family = stated if c.kind == "inductive" else module.get(c.induct)
    if family is None or family.constant.kind != "inductive":
        raise BadFile(f"{c.name} without its family")
    names = [n for n in family.group if n in module.positions] or [family.constant.name]
    out: list[Stated] = []
    for name in names:
        each = module.get(name)
        if each is None or each.constant.kind != "inductive":
            raise BadFile(f"{name} is no family")
        ctors = [module.get(n) for n in each.constant.ctors]
        out += [each, *[ctor for ctor in ctors if ctor is not None]]
    recs = [f"{n}.rec" for n in names]
    k = 1
    while f"{names[0]}.rec_{k}" in module.positions:
        recs.append(f"{names[0]}.rec_{k}")
        k += 1
    found = [module.get(n) for n in recs]
    return out + [rec for rec in found if rec is not None]


class _timed:
    """Seconds of a step, also when it ends the judging."""

    def __init__(self, into: dict[str, float], step: str) -> None:
        self._into, self._step = into, step

    def __enter__(self) -> None:
        self._start = perf_counter()

    def __exit__(self, *_: object) -> None:
        self._into[self._step] = perf_counter() - self._start


def replay_module(library_env: KernelEnv, module: Module, steps: int) -> Iterator[tuple[str, Outcome, str]]:
    """Every declaration of a module through the kernel: name, outcome, detail.

    What is not accepted is missing for what follows, which is then told as it comes.
    """
    env = library_env
    used = {name: stated for name in module.positions if (stated := module.get(name)) is not None}
    for group in ordered(used, module):
        done = replay(env, group, steps)
        env = done.env
        yield group[0].constant.name, done.outcome, done.detail
