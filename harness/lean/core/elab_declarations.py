# ruff: noqa: C419  (lists: recursion through a generator would use up the C stack)
"""Declarations: header, value, and the kernel's word on both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from harness.lean.core import syntax as S
from harness.lean.core import syntax_commands as C
from harness.lean.core.elab import Elab, LeanError, Log, levels_in
from harness.lean.core.elab_terms import sorry_term, with_binders
from harness.lean.core.environment import Environment
from harness.lean.core.kernel import (
    DEFAULT_STEPS,
    Constant,
    KernelEnv,
    KernelError,
    add_axiom,
    add_definition,
)
from harness.lean.core.metacontext import DEFAULT_HEARTBEATS
from harness.lean.core.printer import print_closed
from harness.lean.core.simpset import add_simp
from harness.lean.core.term import (
    HAS_MVAR,
    PROP,
    ZERO,
    Expr,
    FVar,
    Lam,
    Pi,
    Sort,
    const_names,
    level_eq,
    level_vars,
)
from harness.lean.core.unify import occurs
from harness.lean.text.scopes import name_parts

IGNORED_WORDS = frozenset({"private", "protected", "noncomputable", "local", "scoped", "nonrec", "public"})


FREE_ATTRIBUTES = (
    "simp",
    "ext",
    "aesop",
    "norm_num",
    "symm",
    "refl",
    "trans",
    "elab_as_elim",
    "inline",
    "reducible",
    "irreducible",
    "local simp",
    "scoped simp",
    "default_instance",
    "mono",
    "gcongr",
    "push_cast",
    "norm_cast",
    "to_additive",
    "deprecated",
    "inherit_doc",
)


FILE_FACTOR = 20
"""Declarations' worth of heartbeats that one run of commands may spend in all."""


@dataclass(slots=True)
class Elaboration:
    """What one run of commands gathers."""

    env: Environment
    log: Log = field(default_factory=Log)
    declared: list[str] = field(default_factory=list)
    header: bool = True
    budget: int = DEFAULT_HEARTBEATS
    trusted: bool = False
    """Building the library: axioms keep quiet and work is not bounded, nothing else differs."""
    begun: list[Elab] = field(default_factory=list)
    """Elaborators of the present command."""
    spent: int = 0
    """Steps of the commands before."""
    checked: int = 0
    """Steps of the kernel so far."""

    def say(self, severity: str, node: S.SyntaxNode, text: str) -> None:
        """Report something at a node."""
        self.log.messages.append((severity, node.start, node.end, text))

    def settle(self) -> None:
        """A command is done: count what it spent."""
        self.spent += sum([elab.steps for elab in self.begun])
        self.begun.clear()

    def add(self, constant: Constant) -> KernelEnv:
        """The kernel's environment with `constant`. A run of commands has one declaration's steps in all."""
        left = DEFAULT_STEPS - (0 if self.trusted else min(self.checked, DEFAULT_STEPS))

        def count(steps: int) -> None:
            self.checked += steps

        return add_definition(self.env.kernel, constant, left, count)

    def elab(self, extra_levels: Sequence[str] = ()) -> Elab:
        """A fresh elaborator over the present environment."""
        budget = self.env.option("maxHeartbeats")
        out = Elab(self.env, budget if isinstance(budget, int) and budget > 0 else self.budget)
        if not self.trusted:
            # One bound for what a file may allow itself and for all that it does: no file runs for ever.
            spent = self.spent + sum([elab.steps for elab in self.begun])
            out.budget = min(out.budget, max(0, self.budget * FILE_FACTOR - spent))
            self.begun.append(out)
        out.log = self.log
        names = [u for s in self.env.scopes for u in s.universes] + list(extra_levels)
        out.level_names = list(dict.fromkeys(names))
        return out


# ---------------------------------------------------------------- declarations
@dataclass(slots=True)
class Header:
    """An elaborated statement: its variables (the section's that it uses, then its own), type and levels."""

    elab: Elab
    vars: list[FVar]
    type: Expr
    params: tuple[str, ...]


def elab_header(session: Elaboration, node: C.Decl, keep_all: bool = False) -> Header:
    """Binders and type of a declaration; section variables only where used (or all, for a `def`)."""
    elab = session.elab(node.levels)
    elab.declaring = (node.name or "").removeprefix("_root_.")
    if node.name is not None and not node.name.startswith("_root_."):
        elab.space = ".".join(name_parts(full_name(session.env, node.name))[:-1])
    env = session.env
    shared = [b for s in env.scopes for b in s.variables]
    type_node = node.type

    def inside(vs: list[FVar]) -> tuple[list[FVar], Expr]:
        if type_node is None:
            type_: Expr = elab.hole(Sort(elab.fresh_level()))
        else:
            type_ = elab.finish(elab.type_(type_node))
            type_ = elab.no_holes(type_, type_node)
        return vs, type_

    vs, type_ = with_binders(elab, [*shared, *node.binders], inside)
    if any([v.type.fl & HAS_MVAR for v in vs]):
        type_, vs = _refresh(elab, vs, type_)
    own = vs[len(shared) :]
    used = list(own)
    if keep_all:
        used = list(vs)
    else:
        included = {n for s in env.scopes for n in s.included}
        for v in reversed(vs[: len(shared)]):
            if v.name in included or occurs(v, type_) or any([occurs(v, u.type) for u in used]):
                used.insert(0, v)
    # A type left to be found from the body has levels of its own: nothing to generalise yet.
    params = _generalise_levels(elab, node.levels, used, type_ if type_node is not None else PROP)
    if any([v.type.fl & HAS_MVAR for v in used]):
        type_, used = _refresh(elab, used, type_)
    return Header(elab, used, elab.inst(type_), params)


def _refresh(elab: Elab, vs: list[FVar], type_: Expr) -> tuple[Expr, list[FVar]]:
    """The same variables with every solved hole in their types filled in."""
    from harness.lean.core.term import abstract, instantiate_rev

    old: list[FVar] = []
    new: list[FVar] = []
    for v in vs:
        t = instantiate_rev(abstract(elab.inst(v.type), old), new)
        old.append(v)
        new.append(FVar(v.name, t, None, v.info))
    return instantiate_rev(abstract(elab.inst(type_), old), new), new


def _generalise_levels(elab: Elab, names: tuple[str, ...], vs: list[FVar], type_: Expr) -> tuple[str, ...]:
    """Name the levels left open (`Type*`, `Type _`), and list every level the statement uses."""
    terms = [elab.inst(v.type) for v in vs] + [elab.inst(type_)]
    open_: list[int] = []
    for t in terms:
        for level in levels_in(t):
            level_vars(elab.inst_level(level), "v", open_)
    k = 0
    for key in open_:
        k += 1
        while f"u_{k}" in elab.level_names:
            k += 1
        elab.lassign[key] = ("p", f"u_{k}")
        elab.level_names.append(f"u_{k}")
    used: list[str] = []
    for t in [elab.inst(v.type) for v in vs] + [elab.inst(type_)]:
        _level_params(t, used)
    return (*names, *[u for u in elab.level_names if u in used and u not in names])


def _level_params(e: Expr, out: list[str]) -> None:
    from harness.lean.core.term import HAS_PARAM, App, Const, Let, Sort

    stack = [e]
    seen: set[int] = set()
    while stack:
        x = stack.pop()
        if not x.fl & HAS_PARAM or id(x) in seen:
            continue
        seen.add(id(x))
        if isinstance(x, Const):
            for level in x.levels:
                level_vars(level, "p", out)
        elif isinstance(x, Sort):
            level_vars(x.level, "p", out)
        elif isinstance(x, App):
            stack += [x.fn, x.arg]
        elif isinstance(x, Pi | Lam):
            stack += [x.type, x.body]
        elif isinstance(x, Let):
            stack += [x.type, x.value, x.body]


def elab_decl(session: Elaboration, node: C.Decl) -> None:
    """A declaration; on an error in its body it is added as sorried, as Lean does."""
    kind = node.kind
    name_node = S.SyntaxNode(node.name_start, node.name_end)
    if kind in ("opaque", "instance"):
        raise LeanError(f"not in the embedded fragment: {kind}", node.start, node.end)
    for word in node.modifiers.words:
        if word not in IGNORED_WORDS:
            raise LeanError(f"not in the embedded fragment: {word}", node.start, node.end)
    name = full_name(session.env, node.name)
    if node.name is not None and session.env.contains(name):
        raise LeanError(f"`{name}` has already been declared", node.name_start, node.name_end)
    if kind == "axiom":
        header = elab_header(session, node)
        type_ = header.elab.bind(header.vars, header.type, Pi)
        _commit(session, name_node, lambda: add_axiom(session.env.kernel, name, header.params, type_), name)
        return
    is_def = kind in ("def", "abbrev")
    header = elab_header(session, node, keep_all=is_def)
    errors = sum([m[0] == "error" for m in session.log.messages])
    sorries = len(session.log.sorries)
    if node.value is None and not node.alts:
        return
    value_node: S.Term | None = node.value
    if value_node is None:
        value_node = S.FunMatch(node.value_start, node.end, node.alts)
    value = elab_value(session, header, value_node)
    if is_def:
        _drop_unused(header, len(node.binders), value)
    constant = close(header, name, "theorem" if kind in ("theorem", "lemma") else "def", value)
    if kind in ("theorem", "lemma") or kind == "example":
        constant = replace(constant, kind="theorem") if _is_prop(header) else constant
        if (kind in ("theorem", "lemma") and constant.kind != "theorem") or (
            not _is_prop(header) and kind != "example"
        ):
            raise LeanError(
                f"type of theorem `{name}` is not a proposition\n  {print_closed(session.env, constant.type)}",  # noqa: E501
                node.name_start,
                node.name_end,
            )
    if is_def:
        constant = replace(constant, reducible=kind == "abbrev" or "reducible" in node.modifiers.attributes)
    broken = sum([m[0] == "error" for m in session.log.messages]) > errors
    if _commit(session, name_node, lambda: session.add(constant), name, kind == "example"):
        if not broken and (len(session.log.sorries) > sorries or _holds_sorry(constant)):
            session.say("warning", name_node, "declaration uses `sorry`")
        _attributes(session, node, name)
        if "protected" in node.modifiers.words:
            session.env = replace(session.env, protected=session.env.protected | {name})


def _holds_sorry(constant: Constant) -> bool:
    """Whether a sorry stands in the declaration itself, written as a term; Lean warns of that too."""
    names: dict[str, None] = {}
    const_names(constant.type, names)
    if constant.value is not None:
        const_names(constant.value, names)
    return "sorryAx" in names


def _drop_unused(header: Header, own: int, value: Expr) -> None:
    """Leave out the section variables that a definition does not use."""
    elab = header.elab
    shared = header.vars[: len(header.vars) - own]
    used = header.vars[len(header.vars) - own :]
    terms = [elab.inst(value), elab.inst(header.type)]
    for v in reversed(shared):
        if any([occurs(v, t) for t in terms]) or any([occurs(v, u.type) for u in used]):
            used = [v, *used]
    header.vars = used


def _is_prop(header: Header) -> bool:
    return level_eq(header.elab.inst_level(header.elab.sort_of(header.type)), ZERO)


def full_name(env: Environment, name: str | None) -> str:
    """The name inside the current namespace."""
    if name is None:
        return "_example"
    if name.startswith("_root_."):
        return name[7:]
    return f"{env.scope.namespace}.{name}" if env.scope.namespace else name


def elab_value(session: Elaboration, header: Header, node: S.Term) -> Expr:
    """The body, checked against the type; an error is reported and the body given up."""
    elab = header.elab
    elab.lctx = tuple(header.vars)
    recover = session.log.recover
    session.log.recover = True
    try:
        value = elab.finish(elab.typed(node, header.type))
        elab.no_holes(value, node)
        left = elab.holes(value, [])
        if left:
            raise LeanError("don't know how to synthesize placeholder", node.start, node.end)
        return value
    except LeanError as error:
        start, end = (error.start, error.end) if error.start >= 0 else (node.start, node.end)
        session.log.messages.append(("error", start, end, error.message))
        return sorry_term(elab, header.type)
    finally:
        session.log.recover = recover


def close(header: Header, name: str, kind: str, value: Expr) -> Constant:
    """Statement and body as closed terms, ready for the kernel."""
    elab = header.elab
    type_ = elab.default_levels(elab.bind(header.vars, header.type, Pi))
    body = elab.default_levels(elab.bind(header.vars, value, Lam))
    params = list(header.params)
    found: list[str] = []
    _level_params(type_, found)
    _level_params(body, found)
    params += [u for u in found if u not in params]
    return Constant(name, kind, tuple(params), type_, body)


def _commit(
    session: Elaboration, node: S.SyntaxNode, add: Callable[[], KernelEnv], name: str, example: bool = False
) -> bool:
    try:
        kernel = add()
    except KernelError as error:
        session.say("error", node, str(error))
        return False
    if not example:
        session.env = replace(session.env, kernel=kernel)
        session.declared.append(name)
    return True


def _attributes(session: Elaboration, node: C.Decl, name: str) -> None:
    for text in node.modifiers.attributes:
        word = text.split()[0] if text.split() else ""
        if word in ("simp",) or text.startswith(("local simp", "scoped simp")):
            session.env = add_simp(session.env, name)
