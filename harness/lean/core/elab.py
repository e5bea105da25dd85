"""The elaborator's centre: names, implicit arguments, application, expected types.

`Elab.term` turns a syntax tree into a term with holes; the forms of terms stand in `elab_terms`.
Nothing here is trusted: the kernel checks the result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from harness.lean.core import syntax as S
from harness.lean.core.elab_records import Call, Log, levels_in
from harness.lean.core.environment import Environment
from harness.lean.core.metacontext import DEFAULT_HEARTBEATS, LeanError
from harness.lean.core.printer import Printer, goal_text, shown_names
from harness.lean.core.term import (
    HAS_MVAR,
    PROP,
    Const,
    Expr,
    FVar,
    Lam,
    Level,
    MVar,
    Pi,
    Sort,
    head,
    instantiate,
    mk_apps,
)
from harness.lean.core.unify import Meta
from harness.lean.text.scopes import name_parts

TermRule = Callable[["Elab", Any, "Expr | None"], Expr]
TERM_RULES: dict[type, TermRule] = {}
FIELD_SPACES = {
    "Nat.lt": ("LT.lt", "Nat"),
    "Nat.le": ("LE.le", "Nat"),
    "GT.gt": ("GT.gt",),
    "GE.ge": ("GE.ge",),
}
"""Where `h.le` is looked up when `h : a < b`."""
HEAD_SYNTAX = (S.AnonymousCtor, S.DotIdent, S.Fun, S.FunMatch, S.By, S.StructInst)
"""Terms that need to know their expected type."""


NAT = Const("Nat")
Rule = TypeVar("Rule")


def is_index(name: str) -> bool:
    """Whether a field is asked for by its number, as in `h.1`."""
    return name.isascii() and name.isdigit() and len(name) < 10


def rule(*kinds: type) -> Callable[[Rule], Rule]:
    """Register a function that elaborates these syntax nodes."""

    def register(fn: Rule) -> Rule:
        for kind in kinds:
            TERM_RULES[kind] = fn  # type: ignore[assignment]
        return fn

    return register


class Elab(Meta):
    """Elaboration in one local context; `goals` belongs to the tactics."""

    __slots__ = (
        "declaring",
        "env",
        "goals",
        "lctx",
        "level_names",
        "log",
        "new_holes",
        "pending",
        "space",
        "used_sorry",
    )

    def __init__(self, env: Environment, budget: int = DEFAULT_HEARTBEATS) -> None:
        super().__init__(env.kernel, budget)
        self.env = env
        self.declaring = ""
        """The name being declared: a call of it is recursion."""
        self.space = env.scope.namespace
        """Where names are looked up first: `theorem A.b` stands in `A`."""
        self.lctx: tuple[FVar, ...] = ()
        self.goals: list[MVar] = []
        self.pending: list[tuple[MVar, S.By]] = []
        self.level_names: list[str] = []
        self.log = Log()
        self.new_holes: list[MVar] = []

    # ------------------------------------------------------------ helpers
    def fail(self, node: S.SyntaxNode | None, message: str) -> LeanError:
        """An error at a node."""
        return LeanError(message, node.start, node.end) if node is not None else LeanError(message)

    def outside(self, node: S.SyntaxNode | None, what: str) -> LeanError:
        """The error for what the fragment lacks."""
        return self.fail(node, f"not in the embedded fragment: {what}")

    def printer(self) -> Printer:
        """A printer for the present local context."""
        return Printer(self, shown_names(self.lctx), self.env.with_mathlib)

    def show(self, e: Expr) -> str:
        """A term as people read it."""
        return self.printer().text(e).replace("\n", "\n  ")

    def goal_text(self, goal: MVar) -> str:
        """A goal as people read it."""
        return goal_text(self, goal, self.env)

    def hole(self, type_: Expr, kind: str = "n", name: str = "") -> MVar:
        """A new hole in the present context."""
        return MVar(type_, self.lctx, kind, name)

    def const(self, name: str) -> Const:
        """A constant at fresh levels."""
        c = self.kenv.get(name)
        if c is None:
            raise LeanError(f"Unknown constant `{name}`")
        if not c.params:
            return Const(name)
        return Const(name, tuple([self.fresh_level() for _ in c.params]))

    def make(self, name: str, *args: Expr) -> Expr:
        """A constant applied to its explicit arguments, implicit ones found by unification."""
        fn = self.const(name)
        type_ = self.infer(fn)
        out: list[Expr] = []
        todo = list(args)
        while isinstance(type_, Pi):
            if type_.info == "d":
                if not todo:
                    break
                value = todo.pop(0)
                if not self.unify(type_.type, self.infer(value)):
                    raise LeanError(f"cannot apply {name}")
            else:
                value = self.hole(type_.type)
            out.append(value)
            type_ = instantiate(type_.body, value)
        return mk_apps(fn, out)

    def local(self, name: str) -> FVar | None:
        """The innermost accessible variable of this name."""
        for v in reversed(self.lctx):
            if v.name == name:
                return v
        return None

    def resolve(self, name: str) -> str | None:
        """The full name of a constant, through namespaces and opens."""
        env = self.env
        if name.startswith("_root_."):
            return name[7:] if env.contains(name[7:]) else None
        space = self.space
        while space:
            full = f"{space}.{name}"
            if env.contains(full):
                return full
            space = space.rpartition(".")[0]
        if env.contains(name):
            return name
        for scope in reversed(env.scopes):
            for alias, full in scope.aliases:
                if alias == name:
                    return full
            for opened in reversed(scope.opens):
                full = f"{opened}.{name}"
                if env.contains(full) and full not in env.protected:
                    return full
        return ALIASES.get(name)

    # ------------------------------------------------------------ entry points
    def term(self, node: S.SyntaxNode, expected: Expr | None = None) -> Expr:
        """Elaborate; the result need not have the expected type yet (see `typed`)."""
        self.tick()
        self.steps += len(self.lctx) >> 6  # names are looked up one by one
        if expected is not None:
            wanted = expected
            if isinstance(wanted, MVar):
                wanted = self.inst(wanted)
            if isinstance(wanted, Pi) and wanted.info != "d" and self._auto_bind(node, wanted):
                return self._implicit_lambda(node, wanted)
        rule = TERM_RULES.get(node.__class__)
        if rule is None:
            raise self.outside(node, type(node).__name__)
        try:
            return rule(self, node, expected)
        except LeanError as error:
            if error.start < 0:
                error.start, error.end = node.start, node.end
            raise

    def _auto_bind(self, node: S.SyntaxNode, wanted: Pi) -> bool:
        if isinstance(node, S.Fun):
            return node.binders[0].kind is S.BinderKind.EXPLICIT
        if isinstance(node, S.Ident):
            return not node.explicit
        if isinstance(node, S.App) and isinstance(node.fn, S.Ident):
            return not node.fn.explicit
        return not isinstance(node, (S.Hole, S.SyntheticHole, S.By))

    def _implicit_lambda(self, node: S.SyntaxNode, wanted: Pi) -> Expr:
        saved = self.lctx
        v = FVar(wanted.name + "✝", wanted.type, None, wanted.info)
        self.lctx = (*saved, v)
        try:
            body = self.typed(node, instantiate(wanted.body, v))
        finally:
            self.lctx = saved
        return self.bind([v], body, Lam)

    def typed(self, node: S.SyntaxNode, expected: Expr) -> Expr:
        """Elaborate and make sure of the type."""
        e = self.term(node, expected)
        return self.ensure(e, expected, node)

    def ensure(self, e: Expr, expected: Expr, node: S.SyntaxNode | None) -> Expr:
        """e, if its type is the expected one."""
        got = self.infer(e)
        if self.unify(got, expected):
            return e
        raise self.fail(
            node,
            f"Type mismatch\n  {self.show(e)}\nhas type\n  {self.show(got)}\n"
            f"but is expected to have type\n  {self.show(expected)}",
        )

    def type_(self, node: S.SyntaxNode) -> Expr:
        """Elaborate a type."""
        e = self.term(node, None)
        t = self.inst(self.infer(e))
        if not isinstance(t, Sort):
            t = self.whnf(t)
        if isinstance(t, MVar) and self.unify(t, Sort(self.fresh_level())):
            return e
        if not isinstance(t, Sort):
            raise self.fail(node, f"type expected, got\n  ({self.show(e)} : {self.show(t)})")
        return e

    def finish(self, e: Expr) -> Expr:
        """Run what was put off (`by` blocks), then fill in holes."""
        from harness.lean.core.tactics.engine import run_block

        while self.pending:
            todo, self.pending = self.pending, []
            for goal, node in todo:
                if goal.id not in self.assign:
                    run_block(self, goal, node)
        return self.inst(e)

    def no_holes(self, e: Expr, node: S.SyntaxNode) -> Expr:
        """e, if nothing is left to find."""
        e = self.inst(e)
        for m in self.holes(e, []):
            if m.kind == "n":
                text = "don't know how to synthesize placeholder"
                if m.name:
                    text = f"don't know how to synthesize implicit argument `{m.name}`"
                raise self.fail(node, f"{text}\ncontext:\n{self.goal_text(MVar(m.type, m.lctx))}")
        return e

    def default_levels(self, e: Expr) -> Expr:
        """e with the level holes that nothing decides set to zero."""
        if not e.fl & HAS_MVAR:
            return e
        from harness.lean.core.term import ZERO, level_vars

        for level in levels_in(e):
            for key in level_vars(self.inst_level(level), "v", []):
                self.lassign[key] = ZERO
        return self.inst(e)

    # ------------------------------------------------------------ names
    def ident(self, node: S.Ident) -> tuple[Expr, list[str]]:
        """What a name stands for, and the fields that follow."""
        parts = name_parts(node.name)
        v = self.local(parts[0])
        if v is not None:
            return v, parts[1:]
        for k in range(len(parts), 0, -1):
            full = self.resolve(".".join(parts[:k]))
            if full is not None:
                if k < len(parts) and self.kenv.get(full) and self._is_type_name(full):
                    break
                return self.const_at(full, node), parts[k:]
        if node.name == self.declaring or parts[0] == self.declaring:
            raise self.outside(node, f"recursive call of `{node.name}` (use `induction`)")
        word = "constant" if len(parts) > 1 and self.resolve(parts[0]) else "identifier"
        raise self.fail(node, f"Unknown {word} `{node.name}`")

    def _is_type_name(self, full: str) -> bool:
        c = self.kenv.get(full)
        return c is not None and c.kind == "inductive"

    def const_at(self, full: str, node: S.Ident | None) -> Expr:
        """A constant, at the levels the source gives if it does."""
        fn = self.const(full)
        if node is not None and node.levels is not None:
            if len(node.levels) != len(fn.levels):
                raise self.fail(node, f"too many explicit universe levels for '{full}'")
            return Const(full, tuple([self.level(x) for x in node.levels]))
        return fn

    def level(self, node: S.LevelExpr | None) -> Level:
        """A universe level."""
        from harness.lean.core.elab_terms import elab_level

        return elab_level(self, node)

    def field_of(self, e: Expr, name: str, node: S.SyntaxNode) -> tuple[str, str]:
        """For `e.name`: the constant, and the type name of the argument that e fills."""
        type_ = self.inst(self.infer(e))
        first = ""
        while True:
            type_ = self.whnf_core(type_)
            fn = head(type_)
            if isinstance(fn, Const):
                first = first or fn.name
                found = self._field(fn.name, name)
                if found is not None:
                    return found, fn.name
            new = self.unfold(type_)
            if new is None:
                break
            type_ = new
        if isinstance(type_, Pi) and self.env.contains(f"Function.{name}"):
            return f"Function.{name}", "→"
        if not first:
            raise self.fail(
                node,
                f"Invalid field notation: Type of\n  {self.show(e)}\nis not known; cannot resolve field `{name}`",  # noqa: E501
            )
        if is_index(name):
            raise self.fail(node, f"Invalid projection: Index `{name}` is invalid for this structure")
        raise self.fail(
            node,
            f"Invalid field `{name}`: The environment does not contain `{first}.{name}`, so it is not possible to project the field `{name}` from an expression\n  {self.show(e)}\nof type `{self.show(self.infer(e))}`",  # noqa: E501
        )

    def _field(self, space: str, name: str) -> str | None:
        if is_index(name):
            c = self.kenv.get(space)
            if c is None or c.kind != "inductive" or len(c.ctors) != 1:
                return None
            ctor = self.kenv.get(c.ctors[0])
            k = int(name)
            if ctor is None or not 1 <= k <= ctor.nfields:
                return None
            name = ctor.field_names[k - 1]
        for where in (space, *FIELD_SPACES.get(space, ())):
            if self.env.contains(f"{where}.{name}"):
                return f"{where}.{name}"
        return None

    # ------------------------------------------------------------ application
    def call_ident(self, node: S.Ident, call: Call, expected: Expr | None) -> Expr:
        """A name with its fields applied to arguments."""
        fn, fields = self.ident(node)
        call.explicit = node.explicit
        return self.call_fields(fn, fields, call, expected)

    def call_fields(self, fn: Expr, fields: list[str], call: Call, expected: Expr | None) -> Expr:
        """`fn.f₁.f₂ args`."""
        explicit = call.explicit
        while fields:
            name = fields.pop(0)
            if isinstance(fn, Const):
                fn = self.call(fn, Call([], node=call.node), None)
            node = call.node
            assert node is not None
            full, space = self.field_of(fn, name, node)
            target = (fn, space)
            if fields:
                fn = self.call(self.const(full), Call([], target=target, node=node), None)
            else:
                call.target = target
                fn = self.const(full)
        call.explicit = explicit
        return self.call(fn, call, expected)

    def call(self, fn: Expr, call: Call, expected: Expr | None) -> Expr:
        """fn applied: implicit arguments become holes, explicit ones are elaborated against their types."""
        if not call.args and not call.named and call.target is None:
            if isinstance(fn, FVar) and not (isinstance(fn.type, Pi) and fn.type.info != "d"):
                return fn
            if call.explicit:
                return fn
        from harness.lean.core.application import Application

        return Application(self, fn, call, expected).run()


ALIASES = {"ℕ": "Nat", "trivial": "trivial"}

__all__ = ["ALIASES", "PROP", "TERM_RULES", "Call", "Elab", "LeanError", "Log", "levels_in"]
