# ruff: noqa: C419  (lists: recursion through a generator would use up the C stack)
"""Elaboration of one application: the walk along the type of a function."""

from __future__ import annotations

from harness.lean.core import syntax as S
from harness.lean.core.elab import HEAD_SYNTAX, Call, Elab
from harness.lean.core.term import (
    HAS_MVAR,
    App,
    Const,
    Expr,
    FVar,
    Lam,
    MVar,
    Pi,
    Sort,
    beta,
    head,
    head_args,
    instantiate,
    mk_apps,
)


class Application:
    """The walk along the type of a function."""

    def __init__(self, elab: Elab, fn: Expr, call: Call, expected: Expr | None) -> None:
        self.elab, self.fn, self.call_, self.expected = elab, fn, call, expected
        self.out: list[Expr | None] = []
        self.slots: list[tuple[int, Expr, S.Term | Expr]] = []
        self.type = elab.infer(fn)
        self.motive: MVar | None = None

    def run(self) -> Expr:
        """The applied term."""
        expected = self.expected
        self._walk()
        if self.motive is not None and expected is not None:
            self._eliminate(self.motive)
            self.expected = None
        elif not self.slots:
            self.expected = None
        self._fill(True)
        return mk_apps(self.fn, [x for x in self.out if x is not None])

    def _propagate(self) -> None:
        """Use the expected type, once the result type no longer depends on an argument still to come."""
        elab, expected = self.elab, self.expected
        type_ = elab.inst(self.type)
        if expected is None or (isinstance(type_, App) and isinstance(head(type_), MVar)):
            return
        for k, _, _ in self.slots:
            waiting = self.out[k]
            if isinstance(waiting, MVar) and waiting.id not in elab.assign and _mentions(type_, waiting):
                return
        self.expected = None
        elab.unify(type_, expected)

    def _walk(self) -> None:
        elab, call = self.elab, self.call_
        while True:
            type_ = self.type
            if not isinstance(type_, Pi):
                type_ = elab.whnf_core(elab.inst(type_))
                if not isinstance(type_, Pi) and (call.args or call.named or call.target):
                    type_ = self._function_type(type_)
                if not isinstance(type_, Pi):
                    return
            named = call.named.pop(type_.name, None) if call.named else None
            if named is not None:
                self._slot(type_, named)
            elif type_.info != "d" and not call.explicit:
                if not call.args and call.target is None and not call.named and type_.info == "s":
                    return
                m = elab.hole(type_.type, "n", type_.name)
                if type_.name == "motive" and isinstance(self.fn, Const):
                    self.motive = m
                self._push(type_, m)
            elif call.target is not None and self._takes_target(type_):
                value, call.target = call.target[0], None
                self._check(type_.type, value, None)
                self._push(type_, value)
            elif call.args:
                self._slot(type_, call.args.pop(0))
            elif call.ellipsis:
                self._push(type_, elab.hole(type_.type, "n", type_.name))
            elif call.named:
                raise elab.outside(
                    call.node, f"named argument `{next(iter(call.named))}` before an unnamed one"
                )
            else:
                return

    def _function_type(self, type_: Expr) -> Expr:
        elab = self.elab
        self._fill(False)
        type_ = elab.whnf(elab.inst(self.type))
        if not isinstance(type_, Pi):
            self._fill(True)
            type_ = elab.whnf(elab.inst(self.type))
        if isinstance(type_, Pi):
            return type_
        if isinstance(head(type_), MVar):
            a = elab.hole(Sort(elab.fresh_level()))
            b = elab.hole(Sort(elab.fresh_level()))
            if elab.unify(type_, Pi("a", a, b)):
                return Pi("a", a, b)
        e = mk_apps(self.fn, [x for x in self.out if x is not None])
        raise elab.fail(
            self.call_.node,
            f"Function expected at\n  {elab.show(e)}\nbut this term has type\n  {elab.show(type_)}",
        )

    def _takes_target(self, type_: Pi) -> bool:
        assert self.call_.target is not None
        space = self.call_.target[1]
        dom = type_.type
        if space == "→":
            return isinstance(dom, Pi)
        fn = head(dom)
        return isinstance(fn, Const) and (
            fn.name == space or fn.name in ("Nat.lt", "Nat.le", "GT.gt", "GE.ge")
        )

    def _push(self, type_: Pi, value: Expr | None) -> None:
        self.out.append(value)
        self.type = instantiate(type_.body, value) if value is not None else type_.body

    def _slot(self, type_: Pi, arg: S.Term | Expr) -> None:
        elab = self.elab
        value = arg if isinstance(arg, Expr) else None
        if isinstance(arg, S.Ident) and not arg.explicit and "." not in arg.name:
            v = elab.local(arg.name)
            if v is not None and not (isinstance(v.type, Pi) and v.type.info != "d"):
                dom = type_.type
                if not (isinstance(dom, Pi) and dom.info != "d") and not (
                    dom.fl & HAS_MVAR
                    and (self.slots or (isinstance(dom, App) and isinstance(head(dom), MVar)))
                ):
                    value = v
        if value is not None:
            self._check(type_.type, value, arg if isinstance(arg, S.SyntaxNode) else None)
            self._push(type_, value)
            return
        dom = type_.type
        if isinstance(dom, App) and isinstance(head(dom), Lam):
            dom = elab.whnf_core(dom)
        placeholder = elab.hole(dom, "n", type_.name) if type_.body.lb else None
        self._push(type_, placeholder)
        self.slots.append((len(self.out) - 1, dom, arg))

    def _check(self, want: Expr, value: Expr, node: S.SyntaxNode | None) -> None:
        elab = self.elab
        got = elab.infer(value)
        if elab.unify(want, got):
            return
        fn = elab.show(mk_apps(self.fn, [x for x in self.out if x is not None]))
        shown = elab.show(value)
        raise elab.fail(
            node or self.call_.node,
            f"Application type mismatch: The argument\n  {shown}\nhas type\n  {elab.show(got)}\n"
            f"but is expected to have type\n  {elab.show(want)}\nin the application\n  {fn} {shown}",
        )

    def _waits(self, type_: Expr, arg: S.Term | Expr) -> bool:
        """Whether the argument's syntax needs a type that is not known yet."""
        if not isinstance(arg, HEAD_SYNTAX):
            return False
        t = self.elab.whnf_core(self.elab.inst(type_))
        if isinstance(head(t), MVar):
            return True
        if isinstance(arg, S.Fun) and isinstance(t, Pi) and arg.binders[0].type is None:
            return isinstance(self.elab.inst(t.type), MVar)
        return False

    def _fill(self, force: bool) -> None:
        """Elaborate waiting arguments; those that lack a type only once nothing else moves."""
        while self.slots:
            if force:
                self._propagate()
            at = -1
            for k, slot in enumerate(self.slots):
                if not self._waits(slot[1], slot[2]):
                    at = k
                    break
            if at < 0:
                if not force:
                    return
                at = 0
            slot = self.slots.pop(at)
            self._fill_one(*slot)

    def _fill_one(self, k: int, type_: Expr, arg: S.Term | Expr) -> None:
        elab = self.elab
        assert isinstance(arg, S.SyntaxNode)
        # `Exists.intro` at a known predicate asks for `(fun c => ..) w`: tactics want it contracted.
        head_, args = head_args(elab.inst(type_))
        type_ = beta(head_, args) if args and isinstance(head_, Lam) else type_
        value = elab.term(arg, type_)
        kept, self.out = self.out, self.out[:k]
        self._check(type_, value, arg)
        self.out = kept
        placeholder = self.out[k]
        if isinstance(placeholder, MVar) and not elab.unify(placeholder, value):
            raise elab.fail(
                arg,
                f"Type mismatch\n  {elab.show(value)}\nis not the argument\n  {elab.show(placeholder)}\n"
                "that the expected type asks for",
            )
        self.out[k] = value

    def _eliminate(self, motive: MVar) -> None:
        """Read the motive off the expected type: abstract the arguments that the result applies it to."""
        from harness.lean.core.rewriting import abstract_occurrences

        elab = self.elab
        fn, targets = head_args(self.type)
        if fn is not motive:
            return
        for k, type_, arg in list(self.slots):
            if any([self.out[k] is t for t in targets]) or not _mentions(type_, motive):
                self.slots = [s for s in self.slots if s[0] != k]
                self._fill_one(k, type_, arg)
        assert self.expected is not None
        body = elab.inst(self.expected)
        vars_: list[FVar] = []
        kinds = elab.inst(motive.type)
        for t in targets:
            assert isinstance(kinds, Pi)
            v = FVar(kinds.name, kinds.type)
            body = abstract_occurrences(elab, body, elab.inst(t), v)
            vars_.append(v)
            kinds = instantiate(kinds.body, v)
        elab.unify(motive, elab.bind(vars_, body, Lam))


def _mentions(e: Expr, m: MVar) -> bool:
    from harness.lean.core.unify import occurs

    return occurs(m, e)
