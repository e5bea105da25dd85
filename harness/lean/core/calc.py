"""calc: chains of =, ↔, ≤, <, ≥, > and ≠ put together by transitivity."""

from __future__ import annotations

from harness.lean.core import syntax as S
from harness.lean.core.elab import Elab
from harness.lean.core.term import Const, Expr, head_args

# (first, second) -> lemma; what it proves is read off its type
CHAIN = {
    ("Eq", "Eq"): "Eq.trans",
    ("Iff", "Iff"): "Iff.trans",
    ("Nat.le", "Nat.le"): "Nat.le_trans",
    ("Nat.lt", "Nat.lt"): "Nat.lt_trans",
    ("Nat.lt", "Nat.le"): "Nat.lt_of_lt_of_le",
    ("Nat.le", "Nat.lt"): "Nat.lt_of_le_of_lt",
}
FLIPPED = {"GT.gt": "Nat.lt", "GE.ge": "Nat.le"}


def elab_calc(elab: Elab, node: S.Calc, expected: Expr | None) -> Expr:
    """The whole chain as one proof; `_` on a left side stands for the side before."""
    total: Expr | None = None
    previous: Expr | None = None
    for k, step in enumerate(node.steps):
        relation = step.relation
        if step.proof is None:
            if k:
                raise elab.fail(step, "a proof is missing")
            previous = elab.finish(elab.term(relation))
            continue
        type_ = elab.type_(relation)
        left = _sides(elab, type_, step)[1]
        if previous is not None and not elab.unify(left, previous):
            raise elab.fail(
                step,
                "invalid 'calc' step, left-hand side is\n  "
                f"{elab.show(left)}\nbut previous right-hand side is\n  {elab.show(previous)}",
            )
        if k == len(node.steps) - 1 and total is None and expected is not None:
            elab.unify(type_, expected)
        proof = elab.finish(elab.typed(step.proof, type_))
        previous = _sides(elab, type_, step)[2]
        total = proof if total is None else _chain(elab, total, proof, step)
    if total is None:
        raise elab.fail(node, "a step is missing")
    return total


def _sides(elab: Elab, type_: Expr, node: S.SyntaxNode) -> tuple[str, Expr, Expr]:
    fn, args = head_args(elab.inst(type_))
    if not isinstance(fn, Const) or len(args) < 2:
        raise elab.fail(node, f"invalid 'calc' step, relation expected\n  {elab.show(type_)}")
    return fn.name, args[-2], args[-1]


def _chain(elab: Elab, first: Expr, second: Expr, node: S.SyntaxNode) -> Expr:
    """first : a R b, second : b S c, as a proof of a T c."""
    r = _sides(elab, elab.infer(first), node)[0]
    s = _sides(elab, elab.infer(second), node)[0]
    if s == "Eq" and r != "Eq":
        return _rewritten(elab, first, second, right=True)
    if r == "Eq" and s != "Eq":
        return _rewritten(elab, second, elab.make("Eq.symm", first), right=False)
    flipped = r in FLIPPED or s in FLIPPED
    if flipped:
        name = CHAIN.get((FLIPPED.get(s, ""), FLIPPED.get(r, "")))
        first, second = second, first
    else:
        name = CHAIN.get((r, s))
    if name is None:
        raise elab.fail(
            node, f"invalid 'calc' step, failed to synthesize `Trans` instance for `{r}` and `{s}`"
        )
    out = elab.make(name, first, second)
    if flipped:
        type_ = elab.inst(elab.infer(out))
        fn, (x, y) = head_args(type_)
        assert isinstance(fn, Const)
        shown = Const("GT.gt" if fn.name == "Nat.lt" else "GE.ge")
        from harness.lean.core.term import BVar, Lam, mk_app

        out = mk_app(Lam("h", mk_app(shown, y, x), BVar(0)), out)
    return out


def _rewritten(elab: Elab, relation: Expr, eq: Expr, right: bool) -> Expr:
    """Replace the right (or left) side of a relation by means of eq : side = other."""
    from harness.lean.core.elab_terms import transport
    from harness.lean.core.term import FVar, Lam, mk_apps

    type_ = elab.inst(elab.infer(relation))
    fn, args = head_args(type_)
    at = len(args) - 1 if right else len(args) - 2
    x = FVar("x", elab.inst(elab.infer(args[at])))
    holes = list(args)
    holes[at] = x
    return transport(elab, elab.bind([x], mk_apps(fn, holes), Lam), eq, relation)
