# ruff: noqa: C419, SIM110, I001  (lists: recursion through a generator would use up the C stack; imports packed)
"""The kernel: the only judge of what is proved.

A small dependent type theory: `Sort u` with an impredicative `Prop`, functions, `let`, projections, inductive
families (mutual and nested ones too) with their recursors, quotients, numerals, strings. It imports terms and
nothing else. A constant enters an environment only through the `add_*` functions below, each of which checks
it:

- axioms, definitions, theorems: the type is a type, the value has that type, no free or meta variables;
- inductive types: constructors strictly positive, universes small enough, elimination out of what may be
  `Prop` only where it is harmless; the recursors are made here, not taken from the caller;
- quotients: fixed types, after a look at `Eq`;
- numerals `n` behave as `Nat.succ (.. Nat.zero)`, after a look at `Nat`; fast arithmetic on numerals is used
  for an operation only after the equations that determine it have been checked (see `NatOp`);
- a string literal is short for a list of characters, and has a type where that list has one.

Conversion is beta, delta, iota, zeta, eta (of functions and of structures), proof irrelevance and quotient
reduction. Universe levels are compared by `level_leq`, which holds for every value of the parameters: so a
polymorphic constant is sound at each of its instances.

Three outcomes are kept apart. `KernelError`: refused. `KernelDeclined`: not judged, since it needs what is
named and is not done here. `KernelTimeout` and `KernelDepth`: too long or too deep to judge. Work is counted
in steps and, in `term`, by the nodes walked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from math import gcd
from typing import ParamSpec

from harness.lean.core.declarations import Constant, InductiveDecl, KernelDeclined, KernelDepth, KernelEnv
from harness.lean.core.declarations import KernelError, KernelTimeout, RecRule
from harness.lean.core.level import ONE, ZERO, Level, TermTooLarge, level_eq, level_leq, level_vars
from harness.lean.core.level import limax, lsucc
from harness.lean.core.nodes import HAS_FVAR, HAS_MVAR, PROP, TYPE, App, Const, Expr, FVar, Lam, Let, Lit
from harness.lean.core.nodes import MVar, Pi, Sort, head, head_args, mk_app, mk_apps, proj, proj_of, same
from harness.lean.core.nodes import string_of
from harness.lean.core.term import abstract, arrow, beta, bind_lam, bind_pi, const_names, instantiate
from harness.lean.core.term import instantiate_rev, replaced, subst_params
from harness.lean.core.work import look

P = ParamSpec("P")
DEFAULT_STEPS = 2_000_000

MAX_BITS = 14_000
"""Longer numerals are not computed with (nor printed)."""
NAT = Const("Nat")
NAT_ZERO = Const("Nat.zero")
NAT_SUCC = Const("Nat.succ")
ZEROS = (NAT_ZERO, Lit(0))
BOOL = (Const("Bool.false"), Const("Bool.true"))
CHAR, STRING = Const("Char"), Const("String")
NIL, CONS, OF_NAT = Const("List.nil", (ZERO,)), Const("List.cons", (ZERO,)), Const("Char.ofNat")


def _small(a: int, shift: int) -> bool:
    return a.bit_length() + shift <= MAX_BITS


NatOp = tuple[int, Callable[..., "int | bool | None"]]
"""Arity, and the function on numbers; None when the result is too long to be worth having."""
NAT_OPS: dict[str, NatOp] = {
    "Nat.pred": (1, lambda a: max(a - 1, 0)),
    "Nat.add": (2, lambda a, b: a + b),
    "Nat.mul": (2, lambda a, b: a * b if _small(a, b.bit_length()) else None),
    "Nat.sub": (2, lambda a, b: max(a - b, 0)),
    "Nat.pow": (2, lambda a, b: a**b if max(a.bit_length(), 1) * b <= MAX_BITS else None),
    "Nat.beq": (2, lambda a, b: a == b),
    "Nat.ble": (2, lambda a, b: a <= b),
    "Nat.div": (2, lambda a, b: a // b if b else 0),
    "Nat.mod": (2, lambda a, b: a % b if b else a),
    "Nat.gcd": (2, gcd),
    "Nat.shiftLeft": (2, lambda a, b: a << b if _small(a, b) else None),
    "Nat.shiftRight": (2, lambda a, b: a >> b),
    "Nat.log2": (1, lambda a: max(a.bit_length() - 1, 0)),
    "Nat.land": (2, lambda a, b: a & b),
    "Nat.lor": (2, lambda a, b: a | b),
    "Nat.xor": (2, lambda a, b: a ^ b),
}


def nat_value(found: int | bool) -> Expr:
    """What an operation of `NAT_OPS` gives, as a term."""
    return BOOL[found] if isinstance(found, bool) else Lit(found)


class Checker:
    """Type inference, weak head normal form and conversion in one environment, within one step budget."""

    def __init__(self, env: KernelEnv, steps: int = DEFAULT_STEPS, params: Sequence[str] = ()) -> None:
        self.env = env
        self.steps = steps
        self.params = frozenset(params)
        self._infer: tuple[dict[Expr, Expr], dict[Expr, Expr]] = ({}, {})
        self._whnf: dict[Expr, Expr] = {}
        self._equal: set[tuple[Expr, Expr]] = set()
        self._unequal: set[tuple[Expr, Expr]] = set()
        self._at_levels: dict[tuple[int, tuple[Level, ...]], Expr] = {}
        self._strings = False
        self.gaps: set[str] = set()
        """What was met and is not done here: with one of these, "not equal" may only mean "not known"."""

    def tick(self) -> None:
        """Count one step."""
        self.steps -= 1
        if not self.steps & 63:
            look()
        if self.steps < 0:
            raise KernelTimeout("(kernel) deterministic timeout")

    # ------------------------------------------------------------ inference
    def infer(self, e: Expr, check: bool = True) -> Expr:
        """The type of e, checking e throughout unless told that it is known to be well typed."""
        cache = self._infer[check]
        found = cache.get(e)
        if found is None:
            self.tick()
            found = self._infer_new(e, check)
            cache[e] = found
        return found

    def _infer_new(self, e: Expr, check: bool) -> Expr:
        if isinstance(e, App):
            return self._infer_app(e, check)
        if isinstance(e, FVar):
            return e.type
        if isinstance(e, Const):
            return self.const_type(e)
        if isinstance(e, Lam):
            return self._infer_lambda(e, check)
        if isinstance(e, Pi):
            return self._infer_pi(e, check)
        if isinstance(e, Sort):
            self._check_level(e.level)
            return Sort(lsucc(e.level))
        if isinstance(e, Lit):
            nat = self.env.get("Nat")
            if type(e.n) is not int or e.n < 0 or nat is None or nat.kind != "inductive":
                raise KernelError("(kernel) numeral without Nat")
            return NAT
        if isinstance(e, Let):
            if check:
                self.sort_of(e.type)
                self._expect(self.infer(e.value), e.type, e)
            v = FVar(e.name, e.type, e.value)
            out = self.infer(instantiate(e.body, v), check)
            return instantiate(abstract(out, (v,)), e.value)
        if isinstance(e, MVar):
            raise KernelError("(kernel) declaration has metavariables")
        raise KernelError("(kernel) loose bound variable")

    def const_type(self, e: Const) -> Expr:
        """The type of a constant at its levels."""
        text = string_of(e.name)
        if text is not None:
            return self._string_type()
        c = self.env.get(e.name)
        if c is None:
            raise KernelError(f"(kernel) unknown constant '{e.name}'")
        if len(c.params) != len(e.levels):
            raise KernelError(f"(kernel) incorrect number of universe levels for '{e.name}'")
        for level in e.levels:
            self._check_level(level)
        return self._at(c.type, c, e.levels)

    def _at(self, e: Expr, c: Constant, levels: tuple[Level, ...]) -> Expr:
        """A part of c (which keeps it alive) at the given levels; worked out once."""
        if not c.params:
            return e
        key = (id(e), levels)
        found = self._at_levels.get(key)
        if found is None:
            found = self._at_levels[key] = subst_params(e, dict(zip(c.params, levels, strict=True)))
        return found

    def _string_type(self) -> Expr:
        """`String`, once all that a text is spelled with has the types of the standard one.

        One text that is well typed would not do: `List.cons` may give another type for another letter.
        Without `Char.ofNat` the type is known not to be empty by the spelling of no characters, and a
        literal is some value of it.
        """
        if not self._strings:
            text = App(Const("List", (ZERO,)), CHAR)
            self.infer(text)
            wanted = [(App(NIL, CHAR), text), (self._spelling(), arrow(text, STRING))]
            if self._letters():
                wanted += [(App(CONS, CHAR), arrow(CHAR, arrow(text, text))), (OF_NAT, arrow(NAT, CHAR))]
            if not all(same(self.infer(part), type_) for part, type_ in wanted):
                raise KernelError("(kernel) string literal without the standard String, List and Char")
            self._strings = True
        return STRING

    def _letters(self) -> bool:
        return self.env.get("Char.ofNat") is not None

    def spelled(self, text: str) -> Expr:
        """What a string literal is short for. What decides it is declared before any literal has a type."""
        out: Expr = App(NIL, CHAR)
        for c in reversed(text):
            self.tick()
            out = mk_app(CONS, CHAR, App(OF_NAT, Lit(ord(c))), out)
        return App(self._spelling(), out)

    def _spelling(self) -> Expr:
        """What makes a string of its characters."""
        family = self.env.get("String")
        of_list = family is not None and family.ctors != ("String.mk",)
        return Const("String.ofList" if of_list else "String.mk")

    def _opened_string(self, e: Expr) -> Expr | None:
        """A string literal in weak head normal form, if e is one and its characters are known."""
        text = string_of(e.name) if isinstance(e, Const) else None
        if text is None:
            return None
        if not self._letters():
            self.gaps.add("string literals without Char.ofNat")
            return None
        self._string_type()
        return self.whnf(self.spelled(text))

    def _check_level(self, level: Level) -> None:
        if level_vars(level, "v", []):
            raise KernelError("(kernel) declaration has level metavariables")
        for name in level_vars(level, "p", []):
            if name not in self.params:
                raise KernelError(f"(kernel) undeclared universe parameter '{name}'")

    def _infer_app(self, e: App, check: bool) -> Expr:
        fn, args = head_args(e)
        structure = proj_of(fn.name) if isinstance(fn, Const) else None
        if structure is not None:
            if len(args) == 1:
                return self._infer_proj(structure, args[0], check)
            fn, args = App(fn, args[0]), args[1:]
        type_ = self.infer(fn, check)
        start = 0
        for k, arg in enumerate(args):
            if not isinstance(type_, Pi):
                type_ = self.whnf(instantiate_rev(type_, args[start:k]))
                start = k
                if not isinstance(type_, Pi):
                    raise KernelError("(kernel) function expected")
            if check:
                self._expect(self.infer(arg), instantiate_rev(type_.type, args[start:k]), e)
            type_ = type_.body
        return instantiate_rev(type_, args[start:])

    def _infer_proj(self, field: tuple[str, int], value: Expr, check: bool) -> Expr:
        """The type of a field of `value`. Out of a proposition only proofs can be taken."""
        name, index = field
        of = self.whnf(self.infer(value, check))
        fn, args = head_args(of)
        c = self.env.get(name)
        if c is None or c.kind != "inductive" or len(c.ctors) != 1 or not isinstance(fn, Const):
            raise KernelError("(kernel) invalid projection")
        ctor = self.env.get(c.ctors[0])
        if fn.name != name or ctor is None or len(args) != c.nparams + c.nindices or index >= ctor.nfields:
            raise KernelError("(kernel) invalid projection")
        proposition = level_eq(self.sort_of(of, False), ZERO)
        type_ = self._at(ctor.type, ctor, fn.levels)
        for k in range(c.nparams + index + 1):
            if not isinstance(type_, Pi):
                type_ = self.whnf(type_)
            if not isinstance(type_, Pi):
                raise KernelError("(kernel) invalid projection")
            if k < c.nparams:
                type_ = instantiate(type_.body, args[k])
                continue
            last = k == c.nparams + index
            data = proposition and not level_eq(self.sort_of(type_.type, False), ZERO)
            if data and (last or type_.body.lb):
                raise KernelError("(kernel) invalid projection: data out of a proposition")
            if last:
                return type_.type
            type_ = instantiate(type_.body, App(proj(name, k - c.nparams), value))
        raise KernelError("(kernel) invalid projection")

    def _expect(self, got: Expr, want: Expr, where: Expr) -> None:
        if got is not want and not self.equal(got, want):
            kind = "application" if isinstance(where, App) else "let"
            raise KernelError(f"(kernel) {kind} type mismatch")

    def _infer_lambda(self, e: Lam, check: bool) -> Expr:
        fvars: list[FVar] = []
        body: Expr = e
        while isinstance(body, Lam):
            type_ = instantiate_rev(body.type, fvars)
            if check:
                self.sort_of(type_)
            fvars.append(FVar(body.name, type_, None, body.info))
            body = body.body
        return bind_pi(fvars, self.infer(instantiate_rev(body, fvars), check))

    def _infer_pi(self, e: Pi, check: bool) -> Expr:
        fvars: list[FVar] = []
        levels: list[Level] = []
        body: Expr = e
        while isinstance(body, Pi):
            type_ = instantiate_rev(body.type, fvars)
            levels.append(self.sort_of(type_, check))
            fvars.append(FVar(body.name, type_))
            body = body.body
        out = self.sort_of(instantiate_rev(body, fvars), check)
        for level in reversed(levels):
            out = limax(level, out)
        return Sort(out)

    def sort_of(self, e: Expr, check: bool = True) -> Level:
        """The universe that the type e lives in."""
        s = self.infer(e, check)
        if not isinstance(s, Sort):
            s = self.whnf(s)
        if not isinstance(s, Sort):
            raise KernelError("(kernel) type expected")
        return s.level

    # ------------------------------------------------------------ reduction
    def whnf(self, e: Expr) -> Expr:
        """Weak head normal form, unfolding definitions."""
        if isinstance(e, (Sort, Pi, Lam, Lit)):
            return e
        found = self._whnf.get(e)
        if found is None:
            t = e
            while True:
                t = self.whnf_core(t)
                folded = self._nat_fold(t)
                if folded is not None:
                    t = folded
                    break
                c = self._definition(t)
                if c is None:
                    break
                t = self._unfold(t, c)
            found = self._whnf[e] = t
        return found

    def whnf_core(self, e: Expr, lazy: bool = False) -> Expr:
        """Head normal form without unfolding definitions (`lazy`: not even below a projection)."""
        while True:
            self.tick()
            if isinstance(e, App):
                fn, args = head_args(e)
                if isinstance(fn, Lam):
                    e = beta(fn, args)
                    continue
                if isinstance(fn, (Let, FVar)):
                    new = self.whnf_core(fn, lazy)
                    if new is fn:
                        return e
                    e = mk_apps(new, args)
                    continue
                reduced = self._reduce_const(fn, args, lazy) if isinstance(fn, Const) else None
                if reduced is None:
                    return e
                e = reduced
            elif isinstance(e, Let):
                e = instantiate(e.body, e.value)
            elif isinstance(e, FVar) and e.value is not None:
                e = e.value
            else:
                return e

    def _reduce_const(self, fn: Const, args: list[Expr], lazy: bool) -> Expr | None:
        c = self.env.get(fn.name)
        if c is None:
            field = proj_of(fn.name)
            return self._reduce_proj(field[1], args, lazy) if field is not None else None
        if c.kind == "rec":
            return self._reduce_rec(fn, c, args)
        if c.kind == "quot":
            at = {"Quot.lift": 5, "Quot.ind": 4}.get(c.name)
            if at is None or len(args) <= at:
                return None
            mk, mk_args = head_args(self.whnf(args[at]))
            if not isinstance(mk, Const) or mk.name != "Quot.mk" or len(mk_args) != 3:
                return None
            return mk_apps(App(args[3], mk_args[2]), args[at + 1 :])
        return None

    def _reduce_proj(self, index: int, args: list[Expr], lazy: bool) -> Expr | None:
        made = self.whnf_core(args[0], True) if lazy else self.whnf(args[0])
        ctor, ctor_args = head_args(self._opened(made))
        c = self.env.get(ctor.name) if isinstance(ctor, Const) else None
        if c is None or c.kind != "ctor" or len(ctor_args) != c.nparams + c.nfields:
            return None
        return mk_apps(ctor_args[c.nparams + index], args[1:])

    def _opened(self, e: Expr) -> Expr:
        """A literal in weak head normal form as the constructor that it stands for."""
        if isinstance(e, Lit):
            return NAT_ZERO if e.n == 0 else App(NAT_SUCC, Lit(e.n - 1))
        return self._opened_string(e) or e

    def _reduce_rec(self, fn: Const, c: Constant, args: list[Expr]) -> Expr | None:
        first = c.nparams + c.nmotives + c.nminors
        at = first + c.nindices
        if len(args) <= at:
            return None
        major = args[at]
        if c.k:
            major = self._to_ctor_by_k(c, major) or major
        major = self._opened(self.whnf(major))
        ctor, ctor_args = head_args(major)
        if not isinstance(ctor, Const) or all([rule.ctor != ctor.name for rule in c.rules]):
            ctor, ctor_args = head_args(self._to_ctor_by_eta(c, major))
        made = self.env.get(ctor.name) if isinstance(ctor, Const) else None
        for rule in c.rules:
            if made is not None and rule.ctor == made.name:
                if len(ctor_args) != made.nparams + rule.nfields:
                    return None
                rhs = self._at(rule.rhs, c, fn.levels)
                return beta(rhs, [*args[:first], *ctor_args[made.nparams :], *args[at + 1 :]])
        return None

    def _structure(self, type_: Expr) -> Constant | None:
        """The constructor, if the type (in weak head normal form) is one of a structure: eta holds."""
        fn = head(type_)
        c = self.env.get(fn.name) if isinstance(fn, Const) else None
        if c is None or c.kind != "inductive" or len(c.ctors) != 1 or c.nindices or c.recursive:
            return None
        return self.env.get(c.ctors[0])

    def _to_ctor_by_eta(self, c: Constant, major: Expr) -> Expr:
        """A value of a structure as its constructor applied to its projections; any other as it is."""
        if len(c.rules) != 1 or c.nindices:
            return major
        type_ = self.whnf(self.infer(major, False))
        ctor = self._structure(type_)
        fn, args = head_args(type_)
        if ctor is None or not isinstance(fn, Const) or ctor.name != c.rules[0].ctor:
            return major
        if level_eq(self.sort_of(type_, False), ZERO):
            return major
        fields = [App(proj(fn.name, k), major) for k in range(ctor.nfields)]
        return mk_apps(Const(ctor.name, fn.levels), [*args[: ctor.nparams], *fields])

    def _to_ctor_by_k(self, c: Constant, major: Expr) -> Expr | None:
        """The constructor that any `major` of this type is convertible to, when its type says so."""
        type_ = self.whnf(self.infer(major, False))
        fn, args = head_args(type_)
        if not isinstance(fn, Const) or fn.name != c.induct:
            return None
        made = mk_apps(Const(c.rules[0].ctor, fn.levels), args[: c.nparams])
        return made if self.equal(self.infer(made, False), type_) else None

    def _nat_fold(self, e: Expr) -> Expr | None:
        """Arithmetic on numerals, for operations whose equations have been checked."""
        if not isinstance(e, App):
            return None
        fn, args = head_args(e)
        if not isinstance(fn, Const):
            return None
        if fn.name == "Nat.succ" and len(args) == 1:
            inner = self.whnf(args[0]) if not args[0].fl & HAS_FVAR else args[0]
            return Lit(inner.n + 1) if isinstance(inner, Lit) else None
        if fn.name not in self.env.fast:
            if fn.name in NAT_OPS and not e.fl & HAS_FVAR:
                self.gaps.add(fn.name)
            return None
        arity, op = NAT_OPS[fn.name]
        if len(args) != arity or e.fl & HAS_FVAR:
            return None
        values = [self.whnf(a) for a in args]
        numbers = [0 if v == NAT_ZERO else v.n if isinstance(v, Lit) else None for v in values]
        if None in numbers:
            return None
        out = op(*numbers)
        if out is None:
            raise KernelTimeout("(kernel) deterministic timeout")  # the recursion would never get there
        return nat_value(out)

    def _definition(self, e: Expr) -> Constant | None:
        fn = head(e)
        c = self.env.get(fn.name) if isinstance(fn, Const) else None
        return c if c is not None and c.value is not None and c.kind in ("def", "theorem") else None

    def _unfold(self, e: Expr, c: Constant) -> Expr:
        self.tick()
        fn, args = head_args(e)
        assert isinstance(fn, Const) and c.value is not None
        return beta(self._at(c.value, c, fn.levels), args)

    # ------------------------------------------------------------ conversion
    def equal(self, a: Expr, b: Expr) -> bool:
        """Definitional equality of two well-typed terms."""
        if same(a, b):
            return True
        self.tick()
        if (a, b) in self._equal:
            return True
        if not self._equal_new(a, b):
            return False
        self._equal.add((a, b))
        return True

    def _equal_new(self, a: Expr, b: Expr) -> bool:
        quick = self._equal_shape(a, b)
        if quick is not None:
            return quick
        a, b = self.whnf_core(a, True), self.whnf_core(b, True)
        if same(a, b):
            return True
        quick = self._equal_shape(a, b)
        if quick is not None:
            return quick
        return self._proofs(a, b) or self._lazy_delta(a, b)

    def _equal_shape(self, a: Expr, b: Expr) -> bool | None:
        if isinstance(a, Sort) and isinstance(b, Sort):
            return level_eq(a.level, b.level)
        if isinstance(a, (Lam, Pi)) and a.__class__ is b.__class__:
            return self._equal_binders(a, b)
        return None

    def _equal_binders(self, a: Expr, b: Expr) -> bool:
        fvars: list[FVar] = []
        kind = a.__class__
        while isinstance(a, (Lam, Pi)) and a.__class__ is kind and isinstance(b, kind):
            type_ = instantiate_rev(a.type, fvars)
            if not same(a.type, b.type) and not self.equal(type_, instantiate_rev(b.type, fvars)):
                return False
            fvars.append(FVar(a.name, type_))
            a, b = a.body, b.body
        return self.equal(instantiate_rev(a, fvars), instantiate_rev(b, fvars))

    def _proofs(self, a: Expr, b: Expr) -> bool:
        """Proof irrelevance: both are proofs of one proposition."""
        ta = self.infer(a, False)
        if self.whnf(self.infer(ta, False)) != PROP:
            return False
        return self.equal(ta, self.infer(b, False))

    def _lazy_delta(self, a: Expr, b: Expr) -> bool:
        """Unfold the definition that stands higher, one at a time, until the sides agree or none is left."""
        while True:
            na, nb = self._nat_fold(a), self._nat_fold(b)
            if na is not None or nb is not None:
                return self.equal(na or a, nb or b)
            pa, pb = self._pred(a), self._pred(b)
            if pa is not None and pb is not None:
                return self.equal(pa, pb)
            ca, cb = self._definition(a), self._definition(b)
            if ca is None and cb is None:
                return self._equal_whnf(a, b)
            if ca is not None and cb is not None and ca.name == cb.name and (a, b) not in self._unequal:
                if self._equal_args(a, b):
                    return True
                self._unequal.add((a, b))
            before = a, b
            if ca is not None and (cb is None or ca.height >= cb.height):
                a = self._step(a, ca, b if cb is None else None)
                if a is before[0] and cb is None:
                    b = self.whnf_core(b)  # a projection there, which is looked into first
            if cb is not None and (ca is None or cb.height >= ca.height):
                b = self._step(b, cb, before[0] if ca is None else None)
                if b is before[1] and ca is None:
                    a = self.whnf_core(a)
            if same(a, b):
                return True
            quick = self._equal_shape(a, b)
            if quick is not None:
                return quick

    def _step(self, e: Expr, c: Constant, other: Expr | None) -> Expr:
        """e unfolded; or e, if `other`, which has nothing to unfold, is a projection that can be taken."""
        if other is not None:
            fn = head(other)
            if isinstance(fn, Const) and proj_of(fn.name) and not same(self.whnf_core(other), other):
                return e
        return self.whnf_core(self._unfold(e, c), True)

    def _equal_args(self, a: Expr, b: Expr) -> bool:
        (fa, xs), (fb, ys) = head_args(a), head_args(b)
        if isinstance(fa, Const) and isinstance(fb, Const):
            if fa.name != fb.name or len(fa.levels) != len(fb.levels):
                return False
            if not all([level_eq(x, y) for x, y in zip(fa.levels, fb.levels, strict=True)]):
                return False
        elif not same(fa, fb):
            return False
        if len(xs) != len(ys):
            return False
        for x, y in zip(xs, ys, strict=True):
            if not self.equal(x, y):
                return False
        return True

    def _equal_whnf(self, a: Expr, b: Expr) -> bool:
        """Neither side has a definition to unfold."""
        if isinstance(a, (App, Const)) and isinstance(b, (App, Const)) and self._equal_args(a, b):
            return True
        fa, fb = self.whnf_core(a), self.whnf_core(b)  # now below projections as well
        if not (same(fa, a) and same(fb, b)):
            return self.equal(fa, fb)
        if isinstance(a, Lit) or isinstance(b, Lit):
            return a in ZEROS and b in ZEROS
        if isinstance(a, Lam) or isinstance(b, Lam):
            return self._eta(a, b) or self._eta(b, a)
        for x, y in ((a, b), (b, a)):
            opened = self._opened_string(x) if isinstance(y, App) else None
            if opened is not None:
                return self.equal(opened, y)
        return self._eta_structure(a, b) or self._eta_structure(b, a) or self._units(a, b)

    def _eta_structure(self, a: Expr, b: Expr) -> bool:
        """b is a constructor of a structure, applied to the fields of a."""
        fn, args = head_args(b)
        ctor = self.env.get(fn.name) if isinstance(fn, Const) else None
        if ctor is None or ctor.kind != "ctor" or len(args) != ctor.nparams + ctor.nfields:
            return False
        type_ = self.whnf(self.infer(b, False))
        if self._structure(type_) is not ctor or not self.equal(self.infer(a, False), type_):
            return False
        for k in range(ctor.nfields):
            if not self.equal(App(proj(ctor.induct, k), a), args[ctor.nparams + k]):
                return False
        return True

    def _units(self, a: Expr, b: Expr) -> bool:
        """Both are of a structure without fields."""
        type_ = self.whnf(self.infer(a, False))
        ctor = self._structure(type_)
        return ctor is not None and ctor.nfields == 0 and self.equal(type_, self.infer(b, False))

    def _pred(self, e: Expr) -> Expr | None:
        if isinstance(e, Lit):
            return Lit(e.n - 1) if e.n else None
        return e.arg if isinstance(e, App) and same(e.fn, NAT_SUCC) else None

    def _eta(self, a: Expr, b: Expr) -> bool:
        if not isinstance(a, Lam) or isinstance(b, Lam):
            return False
        tb = self.whnf(self.infer(b, False))
        if not isinstance(tb, Pi):
            return False
        v = FVar(a.name, tb.type)
        return self.equal(a.type, tb.type) and self.equal(instantiate(a.body, v), App(b, v))


# ---------------------------------------------------------------- declarations
def _closed(params: Sequence[str], *terms: Expr) -> None:
    if len(set(params)) != len(params):
        raise KernelError("(kernel) duplicate universe parameter")
    for e in terms:
        if e.lb or e.fl & (HAS_FVAR | HAS_MVAR):
            what = "metavariables" if e.fl & HAS_MVAR else "free variables"
            raise KernelError(f"(kernel) declaration has {what}")


def _guarded(add: Callable[P, KernelEnv]) -> Callable[P, KernelEnv]:
    """Running out of stack or room is the kernel's own error."""

    @wraps(add)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> KernelEnv:
        try:
            return add(*args, **kwargs)
        except RecursionError:
            raise KernelDepth("(kernel) deep recursion detected") from None
        except TermTooLarge:
            raise KernelTimeout("(kernel) deterministic timeout") from None

    return guarded


@_guarded
def add_axiom(env: KernelEnv, name: str, params: tuple[str, ...], type_: Expr) -> KernelEnv:
    """Add an axiom whose type is well formed."""
    _closed(params, type_)
    Checker(env, params=params).sort_of(type_)
    return env._with([Constant(name, "axiom", params, type_)])


@_guarded
def add_definition(
    env: KernelEnv,
    constant: Constant,
    steps: int = DEFAULT_STEPS,
    spent: Callable[[int], None] = lambda steps: None,
) -> KernelEnv:
    """Add a `def`, `theorem` or `opaque` after checking its value against its type.

    A theorem's type is a proposition; an opaque value is never unfolded. A `height` that comes with a `def`
    only decides which side conversion unfolds first.

    `spent` is told how many of `steps` were taken, also when the constant is not added: by `KernelError`, or
    its kinds for time, depth and what is not done here.
    """
    c, value = constant, constant.value
    if value is None or c.kind not in ("def", "theorem", "opaque") or c.rules or c.ctors:
        raise KernelError("(kernel) not a definition")
    _closed(c.params, c.type, value)
    checker = Checker(env, steps, c.params)
    try:
        level = checker.sort_of(c.type)
        if c.kind == "theorem" and not level_eq(level, ZERO):
            raise KernelError(f"(kernel) type of theorem '{c.name}' is not a proposition")
        if not checker.equal(checker.infer(value), c.type):
            raise KernelError("(kernel) declaration type mismatch")
    except (KernelTimeout, KernelDepth):
        raise
    except KernelError as refused:
        if checker.gaps:
            raise KernelDeclined(f"(kernel) not done here: {', '.join(sorted(checker.gaps))}") from refused
        raise
    finally:
        spent(steps - checker.steps)
    height = c.height
    if c.kind == "def" and not height:
        height = 1 + max([k.height for n in const_names(value, {}) if (k := env.get(n))], default=0)
    done = Constant(c.name, c.kind, c.params, c.type, value, height or 1, c.reducible)
    new = env._with([done])
    fast = c.name in NAT_OPS and _nat_equations(new, c.name)
    return env._with([done], c.name) if fast else new


def _nat_equations(env: KernelEnv, name: str) -> bool:
    """Whether the constant satisfies the recursion that `NAT_OPS` computes, by conversion alone."""
    c = env.get(name)
    if c is None or c.kind != "def" or not _nat_operation(env, c):
        return False
    checker, equations = Checker(env), _recursion(name)
    try:
        return bool(equations) and all([checker.equal(left, right) for left, right in equations])
    except KernelError:
        return False


_NEEDS = {
    "Nat.mul": ("Nat.add",),
    "Nat.sub": ("Nat.pred",),
    "Nat.pow": ("Nat.mul",),
    "Nat.shiftLeft": ("Nat.mul",),
    "Nat.shiftRight": ("Nat.div",),
    "Nat.div": ("Nat.add", "Nat.mul"),
    "Nat.mod": ("Nat.add", "Nat.mul"),
    "Nat.gcd": ("Nat.mod",),
    "Nat.log2": ("Nat.div",),
    "Nat.land": ("Nat.div", "Nat.mod"),
    "Nat.lor": ("Nat.div", "Nat.mod"),
    "Nat.xor": ("Nat.div", "Nat.mod"),
}
"""Operations in whose terms one is determined: they have to be known before."""


def _nat_operation(env: KernelEnv, c: Constant) -> bool:
    """Whether it has an operation's type, and those that determine it are known."""
    result = Const("Bool") if c.name in ("Nat.beq", "Nat.ble") else NAT
    type_ = arrow(NAT, result) if NAT_OPS[c.name][0] == 1 else arrow(NAT, arrow(NAT, result))
    return not c.params and same(c.type, type_) and env.fast.issuperset(_NEEDS.get(c.name, ()))


def _of(name: str, *args: Expr) -> Expr:
    return mk_app(Const(name), *args)


def _recursion(name: str) -> list[tuple[Expr, Expr]]:
    """Equations that determine the operation; empty for one that no conversion shows (see below)."""
    x, y, z = FVar("x", NAT), FVar("y", NAT), NAT_ZERO
    sx, sy, (no, yes) = App(NAT_SUCC, x), App(NAT_SUCC, y), BOOL

    def op(*args: Expr) -> Expr:
        return _of(name, *args)

    equations: dict[str, list[tuple[Expr, Expr]]] = {
        "Nat.pred": [(op(z), z), (op(sx), x)],
        "Nat.add": [(op(x, z), x), (op(x, sy), App(NAT_SUCC, op(x, y)))],
        "Nat.mul": [(op(x, z), z), (op(x, sy), _of("Nat.add", op(x, y), x))],
        "Nat.sub": [(op(x, z), x), (op(x, sy), _of("Nat.pred", op(x, y)))],
        "Nat.pow": [(op(x, z), Lit(1)), (op(x, sy), _of("Nat.mul", op(x, y), x))],
        "Nat.beq": [(op(z, z), yes), (op(z, sy), no), (op(sx, z), no), (op(sx, sy), op(x, y))],
        "Nat.ble": [(op(z, z), yes), (op(z, sy), yes), (op(sx, z), no), (op(sx, sy), op(x, y))],
        "Nat.shiftLeft": [(op(x, z), x), (op(x, sy), op(_of("Nat.mul", Lit(2), x), y))],
        "Nat.shiftRight": [(op(x, z), x), (op(x, sy), _of("Nat.div", op(x, y), Lit(2)))],
    }
    return equations.get(name, [])


def with_library_operations(env: KernelEnv) -> KernelEnv:
    """The same with every operation fast whose equations hold in it.

    For a trusted library only. What is no structural recursion is determined by theorems of the library, as
    they are stated there: numerals are then computed as these say, so whoever computes rests on them.
    """
    for name in NAT_OPS:
        if name not in env.fast and (_nat_equations(env, name) or _determined(env, name)):
            env = replace(env, fast=env.fast | {name})
    return env


def _determined(env: KernelEnv, name: str) -> bool:
    """Whether the library states the theorems that determine the operation."""
    op, theorems = env.get(name), _theorems(name)
    if op is None or not theorems or not _nat_operation(env, op):
        return False
    for lemma, statement in theorems.items():
        c = env.get(lemma)
        try:
            if c is None or c.kind != "theorem" or c.params or not Checker(env).equal(c.type, statement):
                return False
        except KernelError:
            return False
    return True


def _theorems(name: str) -> dict[str, Expr]:
    """Theorems that only the function of `NAT_OPS` satisfies, by name; empty where none are known.

    Quotient and remainder are the ones there are; `gcd` and `log2` go down by remainders and by halves. Of
    a bitwise operation halves and last bits are told; at (0, 0) it is its own half, as only 0 is.
    """
    zero, one, two = NAT_ZERO, Lit(1), Lit(2)
    x, y = xy = FVar("x", NAT), FVar("y", NAT)

    def op(*args: Expr) -> Expr:
        return _of(name, *args)

    def div(a: Expr, b: Expr) -> Expr:
        return _of("Nat.div", a, b)

    def mod(a: Expr, b: Expr) -> Expr:
        return _of("Nat.mod", a, b)

    def equal(a: Expr, b: Expr) -> Expr:
        return mk_app(Const("Eq", (ONE,)), NAT, a, b)

    def odd(a: Expr) -> Expr:
        return equal(mod(a, two), one)

    def bitwise(stem: str, last: Expr) -> dict[str, Expr]:
        halves = equal(div(op(x, y), two), op(div(x, two), div(y, two)))
        ends = _of("Iff", odd(op(x, y)), last)
        return {f"Nat.{stem}_div_two": bind_pi(xy, halves), f"Nat.{stem}_mod_two_eq_one": bind_pi(xy, ends)}

    whole = equal(_of("Nat.add", _of("Nat.mul", y, div(x, y)), mod(x, y)), x)
    quotient = {
        "Nat.div_add_mod": bind_pi(xy, whole),
        "Nat.mod_lt": bind_pi(xy, arrow(_of("Nat.lt", zero, y), _of("Nat.lt", mod(x, y), y))),
        "Nat.div_zero": bind_pi([x], equal(div(x, zero), zero)),
        "Nat.mod_zero": bind_pi([x], equal(mod(x, zero), x)),
    }
    common = {
        "Nat.gcd_zero_left": bind_pi([y], equal(op(zero, y), y)),
        "Nat.gcd_rec": bind_pi(xy, equal(op(x, y), op(mod(y, x), x))),
    }
    large = [_of("Nat.le", two, x), _of("Nat.decLe", two, x), App(NAT_SUCC, op(div(x, two))), zero]
    theorems = {
        "Nat.div": quotient,
        "Nat.mod": quotient,
        "Nat.gcd": common,
        "Nat.log2": {
            "Nat.log2_def": bind_pi([x], equal(op(x), mk_app(Const("ite", (ONE,)), NAT, *large))),
        },
        "Nat.land": bitwise("and", _of("And", odd(x), odd(y))),
        "Nat.lor": bitwise("or", _of("Or", odd(x), odd(y))),
        "Nat.xor": bitwise("xor", _of("Not", _of("Iff", odd(x), odd(y)))),
    }
    return theorems.get(name, {})


@_guarded
def add_quot(env: KernelEnv) -> KernelEnv:
    """Add `Quot`, `Quot.mk`, `Quot.lift` and `Quot.ind`, whose computation rule `whnf` knows."""
    u, v = ("p", "u"), ("p", "v")
    eq, refl = env.get("Eq"), env.get("Eq.refl")
    level = ("p", eq.params[0] if eq is not None and len(eq.params) == 1 else "")
    e = FVar("α", Sort(level), None, "i")
    x = FVar("a", e)
    same_type = bind_pi([e, x], mk_app(Const("Eq", (level,)), e, x, x))
    if eq is None or eq.kind != "inductive" or not same(eq.type, bind_pi([e], arrow(e, arrow(e, PROP)))):
        raise KernelError("(kernel) quotients need the standard Eq")
    if eq.ctors != ("Eq.refl",) or refl is None or not same(refl.type, same_type):
        raise KernelError("(kernel) quotients need the standard Eq")
    alpha, beta_ = FVar("α", Sort(u), None, "i"), FVar("β", Sort(v), None, "i")
    r = FVar("r", arrow(alpha, arrow(alpha, PROP)))
    ri = FVar("r", r.type, None, "i")
    a, b, f = FVar("a", alpha), FVar("b", alpha), FVar("f", arrow(alpha, beta_))
    quot = mk_app(Const("Quot", (u,)), alpha, ri)
    images = mk_app(Const("Eq", (v,)), beta_, App(f, a), App(f, b))
    sound = FVar("h", bind_pi([a, b], arrow(mk_app(ri, a, b), images)))
    motive = FVar("β", arrow(quot, PROP), None, "i")
    step = FVar("mk", bind_pi([a], App(motive, mk_app(Const("Quot.mk", (u,)), alpha, ri, a))))
    q = FVar("q", quot)
    mk = bind_pi([alpha, r], arrow(alpha, mk_app(Const("Quot", (u,)), alpha, r)))
    lift = bind_pi([alpha, ri, beta_, f, sound], arrow(quot, beta_))
    ind = bind_pi([alpha, ri, motive, step, q], App(motive, q))
    types = {"Quot": bind_pi([alpha, r], Sort(u)), "Quot.mk": mk, "Quot.lift": lift, "Quot.ind": ind}
    params = {"Quot.lift": ("u", "v")}
    return env._with([Constant(n, "quot", params.get(n, ("u",)), t) for n, t in types.items()])


@_guarded
def add_inductive(env: KernelEnv, *decls: InductiveDecl) -> KernelEnv:
    """Check the families, which may mention each other, and add them, their constructors and recursors.

    Several have the same level parameters and parameters. A family may also stand below the parameters of
    an earlier one (`List Tree`): each such use is checked as one more family, of which nothing is left but
    its recursor, `first.rec_1` and so on.
    """
    return _Inductive(env, decls).build()


@dataclass(slots=True)
class _Field:
    """A constructor's field; if recursive, the arguments it takes, and the family and indices it then has."""

    var: FVar
    args: list[FVar]
    family: int | None
    indices: list[Expr]


@dataclass(slots=True)
class _Ctor:
    name: str
    type: Expr
    """Without the parameters, which stand as variables."""
    fields: list[_Field]
    indices: list[Expr]

    @property
    def vars(self) -> list[FVar]:
        return [f.var for f in self.fields]


@dataclass(slots=True)
class _Family:
    """One family of the group. `use`: the term it stands for, if it is a use of an earlier family."""

    name: str
    indices: list[FVar]
    ctors: list[_Ctor]
    use: Expr | None = None


class _Inductive:
    def __init__(self, env: KernelEnv, decls: Sequence[InductiveDecl]) -> None:
        self.env, self.decls = env, decls
        self.first = decls[0]
        self.levels: tuple[Level, ...] = tuple([("p", p) for p in self.first.params])
        self.number = {d.name: k for k, d in enumerate(decls)}
        self.families: list[_Family] = []

    def build(self) -> KernelEnv:
        d, before = self.first, self.env
        for each in self.decls:
            _closed(each.params, each.type, *[t for _, t in each.ctors])
            if each.params != d.params or each.nparams != d.nparams:
                raise KernelError("(kernel) families declared together differ in their parameters")
        if len(self.number) < len(self.decls):
            raise KernelError("(kernel) duplicate family")
        if "Nat" in self.number and not self._is_nat():
            raise KernelError("(kernel) Nat must be the standard one")
        self.checker = Checker(before, params=d.params)
        self._headers()
        known = [self._constant(each, fam) for each, fam in zip(self.decls, self.families, strict=True)]
        self.checker = Checker(before._with(known), params=d.params)
        for each, fam in zip(self.decls, self.families, strict=True):
            fam.ctors = [_Ctor(n, self._body(n, t), [], []) for n, t in each.ctors]
        self._find_uses()
        helpers = [self._helper(fam) for fam in self.families[len(self.decls) :]]
        self.checker = Checker(before._with([*known, *helpers]), params=d.params)
        for fam in self.families:
            for ctor in fam.ctors:
                self._constructor(ctor)
        recursive = any([f.family is not None for fam in self.families for c in fam.ctors for f in c.fields])
        self.env = before._with([replace(c, recursive=recursive) for c in known])
        self.env = self.env._with([c for each in range(len(self.decls)) for c in self._ctors(each)])
        return self._with_recursors()

    def _is_nat(self) -> bool:
        d = self.first
        want = (("Nat.zero", NAT), ("Nat.succ", arrow(NAT, NAT)))
        return len(self.decls) == 1 and not d.params and same(d.type, TYPE) and d.ctors == want

    # ------------------------------------------------------------ families
    def _headers(self) -> None:
        """Parameters, indices and universe; the parameters become variables that all families share."""
        self.param_vars: list[FVar] = []
        for each in self.decls:
            self.checker.sort_of(each.type)
            out, level = self._telescope(each.type)
            if not self.families:
                self.param_vars, self.level = out[: each.nparams], level
            elif not level_eq(level, self.level):
                raise KernelError("(kernel) families declared together live in different universes")
            self.families.append(_Family(each.name, out[each.nparams :], []))
        self.prop = self.level == ZERO
        self.never_prop = level_leq(ONE, self.level)

    def _telescope(self, type_: Expr) -> tuple[list[FVar], Level]:
        out: list[FVar] = []
        while True:
            type_ = self.checker.whnf(type_)
            if not isinstance(type_, Pi):
                break
            k = len(out)
            if k < len(self.param_vars):
                if not self.checker.equal(type_.type, self.param_vars[k].type):
                    raise KernelError("(kernel) families declared together differ in their parameters")
                out.append(self.param_vars[k])
            else:
                out.append(FVar(type_.name, type_.type, None, type_.info))
            type_ = instantiate(type_.body, out[-1])
        if not isinstance(type_, Sort) or not 0 <= self.first.nparams <= len(out):
            raise KernelError("(kernel) invalid inductive type")
        return out, type_.level

    def _constant(self, d: InductiveDecl, fam: _Family) -> Constant:
        names = tuple([n for n, _ in d.ctors])
        made = Constant(d.name, "inductive", d.params, d.type, ctors=names)
        return replace(made, nparams=d.nparams, nindices=len(fam.indices))

    def _body(self, name: str, type_: Expr) -> Expr:
        """The constructor's type, checked, with the shared variables for its parameters."""
        self.checker.sort_of(type_)
        for p in self.param_vars:
            if not isinstance(type_, Pi) or not self.checker.equal(type_.type, p.type):
                raise KernelError(f"(kernel) constructor '{name}' does not start with the parameters")
            type_ = instantiate(type_.body, p)
        return type_

    # ------------------------------------------------------------ uses of earlier families
    def _find_uses(self) -> None:
        """Make every use of an earlier family that has ours among its parameters a family of the group."""
        for fam in self.families:  # which grows on the way
            for ctor in fam.ctors:
                ctor.type = replaced(ctor.type, self._use)

    def _use(self, e: Expr) -> Expr | None:
        fn, args = head_args(e)
        c = self.env.get(fn.name) if isinstance(fn, Const) else None
        if c is None or c.kind != "inductive" or len(args) < c.nparams or not isinstance(fn, Const):
            return None
        use = mk_apps(fn, args[: c.nparams])
        if not self._occurs(use):
            return None
        if use.lb:
            raise KernelError("(kernel) the family stands below parameters that vary with the fields")
        if self._occurs(replaced(use, self._own)):
            raise KernelError("(kernel) the family stands below parameters, but not at its own")
        known = next((f for f in self.families if f.use is not None and same(f.use, use)), None)
        if known is None:
            known = self._add_use(fn, c, args[: c.nparams], use)
        return mk_apps(mk_apps(Const(known.name, self.levels), self.param_vars), args[c.nparams :])

    def _own(self, e: Expr) -> Expr | None:
        """Anything else in place of a declared family at the declared parameters."""
        fn, args = head_args(e)
        n = len(self.param_vars)
        own = isinstance(fn, Const) and fn.name in self.number and fn.levels == self.levels
        if (
            not own
            or len(args) < n
            or not all([same(p, a) for p, a in zip(self.param_vars, args, strict=False)])
        ):
            return None
        return mk_apps(PROP, args[n:])

    def _add_use(self, fn: Const, c: Constant, args: list[Expr], use: Expr) -> _Family:
        """The family that `use` is checked as. Its constructors are looked through in their turn."""
        name = f"\2{len(self.families)}"
        self.checker.infer(use)
        type_ = self.checker.infer(use, False)
        indices: list[FVar] = []
        while isinstance(type_ := self.checker.whnf(type_), Pi):
            indices.append(FVar(type_.name, type_.type, None, type_.info))
            type_ = instantiate(type_.body, indices[-1])
        if not isinstance(type_, Sort) or not level_eq(type_.level, self.level):
            raise KernelError("(kernel) a family and one that it stands in live in different universes")
        ctors = []
        for ctor_name in c.ctors:
            body = self.checker.const_type(Const(ctor_name, fn.levels))
            for arg in args:
                body = self.checker.whnf(body)
                if not isinstance(body, Pi):
                    raise KernelError(
                        f"(kernel) constructor '{ctor_name}' does not start with the parameters"
                    )
                body = instantiate(body.body, arg)
            ctors.append(_Ctor(f"{name}.{ctor_name}", body, [], []))
        made = _Family(name, indices, ctors, use)
        self.number[name] = len(self.families)
        self.families.append(made)
        return made

    def _helper(self, fam: _Family) -> Constant:
        type_ = bind_pi([*self.param_vars, *fam.indices], Sort(self.level))
        made = Constant(fam.name, "inductive", self.first.params, type_)
        return replace(made, nparams=self.first.nparams, nindices=len(fam.indices))

    def _plain(self, e: Expr) -> Expr:
        """e in terms of what was declared: uses, their constructors and recursors under their own names."""
        return replaced(e, self._plain_head) if len(self.families) > len(self.decls) else e

    def _plain_head(self, e: Expr) -> Expr | None:
        fn, args = head_args(e)
        if not isinstance(fn, Const) or not fn.name.startswith("\2"):
            return None
        name, _, rest = fn.name.partition(".")
        use, n = self.families[self.number[name]].use, len(self.param_vars)
        assert use is not None
        if rest == "rec":
            plain: Expr = Const(self._rec_name(self.number[name]), fn.levels)
            return mk_apps(plain, [self._plain(a) for a in args])
        plain = instantiate_rev(abstract(use, self.param_vars), args[:n])
        if rest:
            family, params = head_args(plain)
            assert isinstance(family, Const)
            plain = mk_apps(Const(rest, family.levels), params)
        return mk_apps(plain, [self._plain(a) for a in args[n:]])

    def _rec_name(self, k: int) -> str:
        own = len(self.decls)
        return f"{self.decls[k].name}.rec" if k < own else f"{self.first.name}.rec_{k - own + 1}"

    # ------------------------------------------------------------ constructors
    def _occurs(self, e: Expr) -> bool:
        return not self.number.keys().isdisjoint(const_names(e, {}))

    def _is_family(self, e: Expr) -> tuple[int, list[Expr]] | None:
        """Which family e is, at the declared parameters, and the indices."""
        fn, args = head_args(e)
        k = self.number.get(fn.name) if isinstance(fn, Const) else None
        n = len(self.param_vars)
        if k is None or not isinstance(fn, Const) or fn.levels != self.levels:
            return None
        if len(args) != n + len(self.families[k].indices):
            return None
        for p, a in zip(self.param_vars, args, strict=False):
            if not self.checker.equal(p, a):
                return None
        if any([self._occurs(a) for a in args[n:]]):
            raise KernelError("(kernel) the family occurs in its own indices")
        return k, args[n:]

    def _constructor(self, ctor: _Ctor) -> None:
        """Find the fields, and the indices of the result."""
        type_ = ctor.type
        while isinstance(type_, Pi):
            level = self.checker.sort_of(type_.type)
            if not self.prop and not level_leq(level, self.level):
                raise KernelError(f"(kernel) universe level of '{ctor.name}' is too big")
            v = FVar(type_.name, type_.type, None, type_.info)
            ctor.fields.append(self._field(ctor.name, v))
            type_ = instantiate(type_.body, v)
        found = self._is_family(type_)
        own = next((k for k, fam in enumerate(self.families) if any([c is ctor for c in fam.ctors])), None)
        if found is None or found[0] != own:
            raise KernelError(f"(kernel) constructor '{ctor.name}' does not return the family")
        ctor.indices = found[1]

    def _field(self, name: str, v: FVar) -> _Field:
        if not self._occurs(v.type):
            return _Field(v, [], None, [])
        vars_: list[FVar] = []
        body = self.checker.whnf(v.type)
        while isinstance(body, Pi):
            if self._occurs(body.type):
                raise KernelError(f"(kernel) constructor '{name}' has a non positive occurrence")
            vars_.append(FVar(body.name, body.type))
            body = self.checker.whnf(instantiate(body.body, vars_[-1]))
        if not self._occurs(body):
            return _Field(v, [], None, [])
        found = self._is_family(body)
        if found is None:
            raise KernelError(f"(kernel) constructor '{name}' has a non valid occurrence")
        return _Field(v, vars_, *found)

    def _ctors(self, k: int) -> list[Constant]:
        made = []
        for (n, t), ctor in zip(self.decls[k].ctors, self.families[k].ctors, strict=True):
            shown = tuple([v.name for v in ctor.vars])
            c = Constant(n, "ctor", self.first.params, t, induct=self.decls[k].name, field_names=shown)
            made.append(replace(c, nparams=len(self.param_vars), nfields=len(ctor.fields)))
        return made

    # ------------------------------------------------------------ recursors
    def _large(self) -> bool:
        """Whether the recursor may produce data.

        Always out of what is never a proposition, else out of one family with at most one constructor, whose
        fields are proofs or to be read off its type.
        """
        if self.never_prop:
            return True
        ctors = self.families[0].ctors
        if len(self.families) > 1 or len(ctors) > 1:
            return False
        for v in ctors[0].vars if ctors else ():
            proof = level_eq(self.checker.sort_of(v.type), ZERO)
            if not proof and not any([same(v, i) for i in ctors[0].indices]):
                return False
        return True

    def _with_recursors(self) -> KernelEnv:
        u, k = "u", 0
        while u in self.first.params:
            k += 1
            u = f"u_{k}"
        large = self._large()
        self.rec_params = (u, *self.first.params) if large else self.first.params
        self.target = Sort(("p", u)) if large else PROP
        self.motives = [self._motive(k) for k in range(len(self.families))]
        self.minors = [[self._minor(fam, ctor) for ctor in fam.ctors] for fam in self.families]
        self.pre = [*self.param_vars, *self.motives, *[m for ms in self.minors for m in ms]]
        recs = [self._recursor(k) for k in range(len(self.families))]
        env = self.env._with(recs)
        checker = Checker(env, params=self.rec_params)
        for rec in recs:
            checker.sort_of(rec.type)
        if len(recs) > 1:
            self._check_rules(checker, recs)
        return env

    def _at(self, k: int, indices: Sequence[Expr]) -> Expr:
        return mk_apps(mk_apps(Const(self.families[k].name, self.levels), self.param_vars), indices)

    def _motive(self, k: int) -> FVar:
        fam = self.families[k]
        major = FVar("t", self._at(k, fam.indices))
        name = "motive" if len(self.families) == 1 else f"motive_{k + 1}"
        return FVar(name, bind_pi([*fam.indices, major], self.target), None, "i")

    def _made(self, ctor: _Ctor) -> Expr:
        return mk_apps(mk_apps(Const(ctor.name, self.levels), self.param_vars), ctor.vars)

    def _minor(self, fam: _Family, ctor: _Ctor) -> FVar:
        ihs = []
        for f in ctor.fields:
            if f.family is not None:
                value = App(mk_apps(self.motives[f.family], f.indices), mk_apps(f.var, f.args))
                ihs.append(FVar(f"{f.var.name}_ih", bind_pi(f.args, value)))
        motive = self.motives[self.number[fam.name]]
        result = App(mk_apps(motive, ctor.indices), self._made(ctor))
        return FVar(ctor.name.rpartition(".")[2], bind_pi([*ctor.vars, *ihs], result))

    def _rec(self, k: int) -> Expr:
        name = f"{self.families[k].name}.rec"
        return mk_apps(Const(name, tuple([("p", p) for p in self.rec_params])), self.pre)

    def _recursor(self, k: int) -> Constant:
        fam = self.families[k]
        major = FVar("t", self._at(k, fam.indices))
        result = App(mk_apps(self.motives[k], fam.indices), major)
        type_ = self._plain(bind_pi([*self.pre, *fam.indices, major], result))
        rules = tuple([self._rule(c, m) for c, m in zip(fam.ctors, self.minors[k], strict=True)])
        alone = len(self.families) == 1 and len(fam.ctors) == 1
        k_like = self.prop and alone and not fam.ctors[0].fields
        induct = fam.name
        if fam.use is not None:
            used = head(fam.use)
            assert isinstance(used, Const)
            induct = used.name
        made = Constant(
            self._rec_name(k), "rec", self.rec_params, type_, induct=induct, rules=rules, k=k_like
        )
        made = replace(made, nparams=len(self.param_vars), nindices=len(fam.indices))
        nminors = sum([len(ms) for ms in self.minors])
        return replace(made, nmotives=len(self.motives), nminors=nminors)

    def _rule(self, ctor: _Ctor, minor: FVar) -> RecRule:
        ihs = []
        for f in ctor.fields:
            if f.family is not None:
                value = App(mk_apps(self._rec(f.family), f.indices), mk_apps(f.var, f.args))
                ihs.append(bind_lam(f.args, value))
        rhs = self._plain(bind_lam([*self.pre, *ctor.vars], mk_apps(mk_apps(minor, ctor.vars), ihs)))
        name = ctor.name.partition(".")[2] if ctor.name.startswith("\2") else ctor.name
        return RecRule(name, len(ctor.fields), rhs)

    def _check_rules(self, checker: Checker, recs: list[Constant]) -> None:
        """Each rule gives what the recursor's type promises: a guard on the way back from helper families."""
        for k, (fam, rec) in enumerate(zip(self.families, recs, strict=True)):
            for ctor, rule in zip(fam.ctors, rec.rules, strict=True):
                result = App(mk_apps(self.motives[k], ctor.indices), self._made(ctor))
                want = self._plain(bind_pi([*self.pre, *ctor.vars], result))
                if not checker.equal(checker.infer(rule.rhs), want):
                    raise KernelDeclined(f"(kernel) not done here: the recursor '{rec.name}'")


__all__ = [
    "Checker",
    "Constant",
    "InductiveDecl",
    "KernelDeclined",
    "KernelDepth",
    "KernelEnv",
    "KernelError",
    "KernelTimeout",
]
