"""Constructors seen through numerals: telling them apart, and their injectivity."""

from __future__ import annotations

from collections.abc import Sequence

from harness.lean.core.elab import Elab
from harness.lean.core.kernel import Constant
from harness.lean.core.term import (
    PROP,
    ZERO,
    App,
    Const,
    Expr,
    FVar,
    Lam,
    Level,
    Lit,
    Pi,
    bind_lam,
    bind_pi,
    head_args,
    instantiate,
    mk_app,
    mk_apps,
    subst_params,
)

NAT_ADD = Const("Nat.add")


def _apply_motive(motive: Expr, args: Sequence[Expr]) -> Expr:
    for a in args:
        assert isinstance(motive, Lam)
        motive = instantiate(motive.body, a)
    return motive


def _recursive(elab: Elab, c: Constant, ctor_name: str) -> list[bool]:
    """For each field whether it is of the family itself, read before parameters are put in.

    Afterwards `(P ∧ Q) ∧ R` would look recursive: its first field is an `And`, though not by declaration.
    """
    ctor = elab.kenv.get(ctor_name)
    assert ctor is not None
    type_ = ctor.type
    found: list[bool] = []
    while isinstance(type_, Pi):
        field = type_.type
        while isinstance(field, Pi):
            field = field.body
        fn = head_args(field)[0]
        found.append(isinstance(fn, Const) and fn.name == c.name)
        type_ = type_.body
    return found[c.nparams :]


def family(elab: Elab, type_: Expr) -> tuple[Constant, tuple[Level, ...], list[Expr]] | None:
    """The inductive type at the head, its levels, its arguments."""
    fn, args = head_args(elab.whnf(elab.inst(type_)))
    c = elab.kenv.get(fn.name) if isinstance(fn, Const) else None
    if c is None or c.kind != "inductive" or not isinstance(fn, Const):
        return None
    return c, fn.levels, [elab.inst(a) for a in args]


def _hypotheses(elab: Elab, c: Constant, ctor_name: str, motive: Expr, fields: list[FVar]) -> list[FVar]:
    out: list[FVar] = []
    for f, recursive in zip(fields, _recursive(elab, c, ctor_name), strict=True):
        if not recursive:
            continue
        type_ = f.type
        xs: list[FVar] = []
        while isinstance(type_, Pi):
            xs.append(FVar(type_.name, type_.type))
            type_ = instantiate(type_.body, xs[-1])
        fn, args = head_args(type_)
        assert isinstance(fn, Const) and fn.name == c.name
        at = [*args[c.nparams :], mk_apps(f, xs)]
        out.append(FVar("a" if c.name != "Nat.le" else "a_ih", bind_pi(xs, _apply_motive(motive, at))))
    return out


# ---------------------------------------------------------------- equations between constructors
def as_constructor(elab: Elab, e: Expr) -> tuple[Constant, list[Expr]] | None:
    """Constructor and all arguments, numerals and sums included."""
    base, k = elab.offset(elab.inst(e))
    if base is None:
        name = "Nat.succ" if k else "Nat.zero"
        args: list[Expr] = [Lit(k - 1)] if k else []
        c = elab.kenv.get(name)
        return (c, args) if c is not None else None
    if k:
        c = elab.kenv.get("Nat.succ")
        pred = base if k == 1 else mk_app(NAT_ADD, base, Lit(k - 1))
        return (c, [pred]) if c is not None else None
    w = elab.whnf(e)
    if isinstance(w, Lit):
        return as_constructor(elab, w)
    fn, args = head_args(w)
    c = elab.kenv.get(fn.name) if isinstance(fn, Const) else None
    return (c, args) if c is not None and c.kind == "ctor" else None


def no_confusion(elab: Elab, h: Expr, type_: Expr, a: Expr, b: Expr) -> Expr:
    """A proof of False from h : a = b with different constructors."""
    f = _selector(elab, type_, a, Const("True"), PROP, Const("False"), None)
    level = elab.sort_of(type_)
    from harness.lean.core.term import ONE

    eq = mk_app(Const("congrArg", (level, ONE)), type_, PROP, a, b, f, h)
    return mk_app(Const("Eq.mp", (ZERO,)), Const("True"), Const("False"), eq, Const("True.intro"))


def _selector(
    elab: Elab, type_: Expr, like: Expr, hit: Expr, out_type: Expr, miss: Expr, pick: int | None
) -> Expr:
    """A function by cases: at the constructor of `like` it gives `hit` (or its field `pick`), else `miss`."""
    found = family(elab, type_)
    here = as_constructor(elab, like)
    assert found is not None and here is not None
    c, levels, params = found
    minors: list[Expr] = []
    motive = Lam("t", type_, out_type)
    for ctor_name in c.ctors:
        ctor = elab.kenv.get(ctor_name)
        assert ctor is not None
        t = subst_params(ctor.type, dict(zip(ctor.params, levels, strict=True)))
        for p in params[: c.nparams]:
            assert isinstance(t, Pi)
            t = instantiate(t.body, p)
        fields: list[FVar] = []
        while isinstance(t, Pi):
            fields.append(FVar(t.name, t.type))
            t = instantiate(t.body, fields[-1])
        hyps = _hypotheses(elab, c, ctor_name, motive, fields)
        value = (fields[pick] if pick is not None else hit) if ctor_name == here[0].name else miss
        minors.append(bind_lam([*fields, *hyps], value))
    t0 = FVar("t", type_)
    rec = Const(f"{c.name}.rec", (elab.sort_of(out_type), *levels))
    return bind_lam([t0], App(mk_apps(rec, [*params[: c.nparams], motive, *minors]), t0))


def injections(elab: Elab, h: Expr, type_: Expr, a: Expr, b: Expr) -> list[tuple[Expr, Expr]]:
    """(equation, proof) for each field of one constructor applied on both sides."""
    ca, cb = as_constructor(elab, a), as_constructor(elab, b)
    assert ca is not None and cb is not None
    out: list[tuple[Expr, Expr]] = []
    n = ca[0].nparams
    for k, (x, y) in enumerate(zip(ca[1][n:], cb[1][n:], strict=True)):
        field_type = elab.inst(elab.infer(x))
        level = elab.sort_of(field_type)
        f = _selector(elab, type_, a, x, field_type, x, k)
        eq = mk_app(Const("Eq", (level,)), field_type, x, y)
        proof = mk_app(Const("congrArg", (elab.sort_of(type_), level)), type_, field_type, a, b, f, h)
        out.append((eq, proof))
    return out
