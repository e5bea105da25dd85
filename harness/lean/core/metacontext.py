# ruff: noqa: C419  (lists: recursion through a generator would use up the C stack)
"""Holes and their values: the state that elaboration threads through, with cheap undo and cheap copies."""

from __future__ import annotations

from collections.abc import Sequence

from harness.lean.core.kernel import KernelEnv
from harness.lean.core.term import (
    HAS_FVAR,
    HAS_MVAR,
    ZERO,
    App,
    Const,
    Expr,
    FVar,
    Lam,
    Let,
    Level,
    MVar,
    Pi,
    Sort,
    TermTooLarge,
    abstract,
    beta,
    fresh_id,
    head_args,
    instantiate_rev,
    level_eq,
    level_vars,
    mk_apps,
    subst_level,
)
from harness.lean.core.work import look

Ids = set[int]
DEFAULT_HEARTBEATS = 200_000
"""Steps of elaboration and unification granted to one tactic or one declaration."""


class LeanError(Exception):
    """An error of elaboration or of a tactic, in Lean's wording; `start` and `end` are source offsets."""

    def __init__(self, message: str, start: int = -1, end: int = -1) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end


class Heartbeats(LeanError):
    """The step budget is spent; no combinator may catch it."""


class MetaContext:
    """Assignments of holes, level holes and delayed holes, with a trail for undoing."""

    __slots__ = ("assign", "budget", "delayed", "kenv", "lassign", "steps", "trail")

    def __init__(self, kenv: KernelEnv, budget: int = DEFAULT_HEARTBEATS) -> None:
        self.kenv = kenv
        self.assign: dict[int, Expr] = {}
        self.lassign: dict[int, Level] = {}
        self.delayed: dict[int, tuple[tuple[FVar, ...], MVar]] = {}
        self.trail: list[tuple[int, int]] = []
        self.budget = budget
        self.steps = 0

    def error(self, message: str) -> LeanError:
        """An error without a place."""
        return LeanError(message)

    def tick(self) -> None:
        """Count one step."""
        self.steps += 1
        if not self.steps & 15:
            look()
        if self.steps > self.budget:
            raise Heartbeats(
                "(deterministic) timeout at `whnf`, maximum number of heartbeats "
                f"({self.budget}) has been reached\n\n"
                "Note: Use `set_option maxHeartbeats <num>` to set the limit."
            )

    # ------------------------------------------------------------ trail
    def mark(self) -> int:
        """A place to come back to."""
        return len(self.trail)

    def undo(self, mark: int) -> None:
        """Forget every assignment made since `mark`."""
        trail = self.trail
        while len(trail) > mark:
            kind, key = trail.pop()
            if kind == 0:
                self.assign.pop(key, None)
            elif kind == 1:
                self.lassign.pop(key, None)
            else:
                self.delayed.pop(key, None)

    def set(self, m: MVar, value: Expr) -> None:
        """Fill the hole."""
        self.assign[m.id] = value
        self.trail.append((0, m.id))

    # ------------------------------------------------------------ levels
    def fresh_level(self) -> Level:
        """A new level hole."""
        return ("v", fresh_id())

    def inst_level(self, level: Level) -> Level:
        """The level with solved holes filled in."""
        for _ in range(64):
            ids = level_vars(level, "v", [])
            if not any([i in self.lassign for i in ids]):
                return level
            level = subst_level(level, self.lassign, "v")
        return level

    def unify_level(self, a: Level, b: Level) -> bool:
        """Make two levels equal; what cannot be decided yet is left to the kernel."""
        if a == b:
            return True
        a, b = self.inst_level(a), self.inst_level(b)
        if a == b:
            return True
        for x, y in ((a, b), (b, a)):
            if x[0] == "v":
                if x[1] in level_vars(y, "v", []):
                    return True
                self.lassign[x[1]] = y
                self.trail.append((1, x[1]))
                return True
        if a[0] == "s" and b[0] == "s":
            return self.unify_level(a[1], b[1])
        if level_vars(a, "v", []) or level_vars(b, "v", []):
            return self._unify_stuck(a, b)
        return level_eq(a, b)

    def _unify_stuck(self, a: Level, b: Level) -> bool:
        if a[0] == b[0] and a[0] in ("m", "i"):
            return self.unify_level(a[1], b[1]) and self.unify_level(a[2], b[2])
        for x, y in ((a, b), (b, a)):
            if x == ZERO and y[0] == "s":
                return False
            if x == ZERO and y[0] == "m":
                return self.unify_level(y[1], ZERO) and self.unify_level(y[2], ZERO)
            if x == ZERO and y[0] == "i":
                return self.unify_level(y[2], ZERO)
        return True

    # ------------------------------------------------------------ filling in
    def inst(self, e: Expr) -> Expr:
        """e with every solved hole filled in."""
        if not e.fl & HAS_MVAR:
            return e
        if isinstance(e, App):
            fn, args = head_args(e)
            if isinstance(fn, MVar):
                value = self.assign.get(fn.id)
                if value is not None:
                    return self.inst(beta(value, args))
                later = self.delayed.get(fn.id)
                if later is not None and len(args) >= len(later[0]):
                    body = self.inst(later[1])
                    if not body.fl & HAS_MVAR:
                        n = len(later[0])
                        out = instantiate_rev(abstract(body, later[0]), args[:n])
                        return self.inst(beta(out, args[n:]))
            new_fn = self.inst(e.fn)
            new_arg = self.inst(e.arg)
            return e if new_fn is e.fn and new_arg is e.arg else App(new_fn, new_arg)
        if isinstance(e, MVar):
            value = self.assign.get(e.id)
            if value is None:
                return e
            if value.fl & HAS_MVAR:
                value = self.inst(value)
            return value
        if isinstance(e, (Lam, Pi)):
            t, b = self.inst(e.type), self.inst(e.body)
            return e if t is e.type and b is e.body else e.__class__(e.name, t, b, e.info)
        if isinstance(e, Const):
            return Const(e.name, tuple([self.inst_level(x) for x in e.levels]))
        if isinstance(e, Sort):
            return Sort(self.inst_level(e.level))
        if isinstance(e, Let):
            return Let(e.name, self.inst(e.type), self.inst(e.value), self.inst(e.body))
        return e

    def holes(self, e: Expr, out: list[MVar]) -> list[MVar]:
        """Unsolved holes of e (delayed ones replaced by what they wait for), in order."""
        if not e.fl & HAS_MVAR:
            return out
        if isinstance(e, App):
            self.holes(e.fn, out)
            return self.holes(e.arg, out)
        if isinstance(e, MVar):
            value = self.assign.get(e.id)
            if value is not None:
                return self.holes(value, out)
            later = self.delayed.get(e.id)
            if later is not None:
                return self.holes(later[1], out)
            if not any([x is e for x in out]):
                out.append(e)
        elif isinstance(e, (Lam, Pi)):
            self.holes(e.type, out)
            self.holes(e.body, out)
        elif isinstance(e, Let):
            self.holes(e.type, out)
            self.holes(e.value, out)
            self.holes(e.body, out)
        return out

    # ------------------------------------------------------------ binding
    def bind(self, fvars: Sequence[FVar], body: Expr, make: type[Lam] | type[Pi]) -> Expr:
        """Abstract the variables; a hole that may mention them becomes a hole applied to them."""
        body = self._detach(fvars, self.inst(body))
        out = abstract(body, fvars)
        for k in range(len(fvars) - 1, -1, -1):
            v = fvars[k]
            t = v.type
            if t.fl & HAS_MVAR:
                t = self._detach(fvars[:k], self.inst(t))
            t = abstract(t, fvars[:k])
            if v.value is not None:
                value = self._detach(fvars[:k], self.inst(v.value))
                out = Let(v.name, t, abstract(value, fvars[:k]), out)
            else:
                out = make(v.name, t, out, v.info)
        return out

    def _detach(self, fvars: Sequence[FVar], e: Expr) -> Expr:
        """Rewrite unsolved holes of e that live under `fvars` as applications of holes that do not."""
        if not e.fl & HAS_MVAR or not fvars:
            return e
        found: list[MVar] = []
        _raw_holes(e, found)
        changed = False
        hidden: list[tuple[MVar, Expr]] = []
        for m in found:
            deps = [v for v in fvars if any([v is w for w in m.lctx])]
            if not deps:
                continue
            outer = tuple([w for w in m.lctx if not any([w is v for v in deps])])
            type_ = self._plain_pi(deps, m.type)
            new = MVar(type_, outer, m.kind, m.name)
            applied = mk_apps(new, deps)
            if m.kind == "n" and m.id not in self.delayed:
                self.set(m, applied)
            elif m.id in self.delayed:
                inner_vars, inner = self.delayed[m.id]
                self.delayed[new.id] = ((*deps, *inner_vars), inner)
                self.trail.append((2, new.id))
                self.assign[m.id] = applied
                self.trail.append((0, m.id))
            else:
                self.delayed[new.id] = (tuple(deps), m)
                self.trail.append((2, new.id))
                hidden.append((m, applied))
            changed = True
        if not changed:
            return e
        for m, applied in hidden:
            e = instantiate_rev(abstract(e, [m]), [applied])
        return self.inst(e)

    def _plain_pi(self, deps: Sequence[FVar], type_: Expr) -> Expr:
        body = self._detach(deps, self.inst(type_))
        out = abstract(body, deps)
        for k in range(len(deps) - 1, -1, -1):
            t = abstract(self._detach(deps[:k], self.inst(deps[k].type)), deps[:k])
            out = Pi(deps[k].name, t, out, deps[k].info)
        return out

    def check_scope(self, m: MVar, value: Expr, extra: Sequence[FVar]) -> Expr | None:
        """`value` if m may be filled with it (its holes narrowed to m's context where needed), else None."""
        if not value.fl & (HAS_FVAR | HAS_MVAR):
            return value
        allowed = {v.id for v in m.lctx}
        allowed.update([v.id for v in extra])
        narrowed: list[MVar] = []
        if not self._scan(value, m, allowed, narrowed):
            return None
        for hole in narrowed:
            if hole.kind != "n" or hole.id in self.delayed:
                return None
            lctx = tuple([v for v in hole.lctx if v.id in allowed])
            if self.check_scope(m, self.inst(hole.type), extra) is None:
                return None
            self.set(hole, MVar(hole.type, lctx, "n", hole.name))
        return self.inst(value) if narrowed else value

    def _scan(self, e: Expr, m: MVar, allowed: Ids, narrowed: list[MVar]) -> bool:
        if not e.fl & (HAS_FVAR | HAS_MVAR):
            return True
        if isinstance(e, App):
            return self._scan(e.fn, m, allowed, narrowed) and self._scan(e.arg, m, allowed, narrowed)
        if isinstance(e, FVar):
            return e.id in allowed
        if isinstance(e, MVar):
            if e is m:
                return False
            outside = len(e.lctx) > len(m.lctx) or (e.lctx and e.lctx != m.lctx[: len(e.lctx)])
            if outside and any([v.id not in allowed for v in e.lctx]) and not any([h is e for h in narrowed]):
                narrowed.append(e)
            later = self.delayed.get(e.id)
            return later is None or later[1] is not m
        if isinstance(e, (Lam, Pi)):
            return self._scan(e.type, m, allowed, narrowed) and self._scan(e.body, m, allowed, narrowed)
        if isinstance(e, Let):
            parts = (e.type, e.value, e.body)
            return all([self._scan(x, m, allowed, narrowed) for x in parts])
        return True


def _raw_holes(e: Expr, out: list[MVar]) -> None:
    """Holes as they stand in e."""
    if not e.fl & HAS_MVAR:
        return
    if isinstance(e, App):
        _raw_holes(e.fn, out)
        _raw_holes(e.arg, out)
    elif isinstance(e, MVar):
        if not any([x is e for x in out]):
            out.append(e)
    elif isinstance(e, (Lam, Pi)):
        _raw_holes(e.type, out)
        _raw_holes(e.body, out)
    elif isinstance(e, Let):
        _raw_holes(e.type, out)
        _raw_holes(e.value, out)
        _raw_holes(e.body, out)


__all__ = ["DEFAULT_HEARTBEATS", "Heartbeats", "LeanError", "MetaContext", "TermTooLarge"]
