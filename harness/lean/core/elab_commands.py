# ruff: noqa: C419  (lists: recursion through a generator would use up the C stack)
"""Commands: scopes, `#check`, `#print axioms`, and whatever declares. Each gives the next environment."""

from __future__ import annotations

from dataclasses import replace

from harness.lean.core import syntax as S
from harness.lean.core import syntax_commands as C
from harness.lean.core.elab import LeanError, Log
from harness.lean.core.elab_declarations import Elaboration, Header, close, elab_decl, elab_header, full_name
from harness.lean.core.elab_terms import with_binders
from harness.lean.core.environment import Environment, Scope
from harness.lean.core.printer import Printer, print_closed
from harness.lean.core.term import Expr, FVar, MVar, Pi
from harness.lean.text.scopes import name_parts

OPENABLE = [
    "BigOperators",
    "Real",
    "Nat",
    "Topology",
    "List",
    "Function",
    "Set",
    "Finset",
    "Filter",
    "Classical",
    "Int",
    "Rat",
    "Complex",
    "Polynomial",
    "Logic",
    "Lean",
    "Mathlib",
    "Std",
    "Option",
    "Prod",
    "Bool",
    "And",
    "Or",
    "Iff",
    "Eq",
    "Exists",
    "Decidable",
    "Fin",
    "Multiset",
    "Matrix",
    "MeasureTheory",
    "Metric",
]


def run_command(session: Elaboration, command: C.Command) -> None:
    """Run one command; errors become messages."""
    try:
        _dispatch(session, command)
    except LeanError as error:
        start = error.start if error.start >= 0 else command.start
        end = error.end if error.start >= 0 else command.end
        session.log.messages.append(("error", start, end, error.message))


def _dispatch(session: Elaboration, node: C.Command) -> None:
    env = session.env
    if isinstance(node, C.Decl):
        _declaration(session, node)
    elif isinstance(node, C.Import):
        session.env = replace(env, modules=(*env.modules, node.module))
    elif isinstance(node, C.ModuleDoc | C.Exit):
        return
    elif isinstance(node, C.Open):
        _open(session, node)
    elif isinstance(node, C.Namespace):
        for part in name_parts(node.name):
            inside = session.env.scope.namespace
            scope = Scope("namespace", part, f"{inside}.{part}" if inside else part)
            session.env = replace(session.env, scopes=(*session.env.scopes, scope))
    elif isinstance(node, C.Section):
        opened = [Scope("section", part, env.scope.namespace) for part in name_parts(node.name or "") or [""]]
        session.env = replace(env, scopes=(*env.scopes, *opened))
    elif isinstance(node, C.End):
        _end(session, node)
    elif isinstance(node, C.Variable):
        _variable(session, node)
    elif isinstance(node, C.Include):
        kept = [n for n in env.scope.included if n not in node.names]
        names = tuple(kept) if node.omit else (*env.scope.included, *node.names)
        session.env = env.with_scope(replace(env.scope, included=names))
    elif isinstance(node, C.Universe):
        session.env = env.with_scope(replace(env.scope, universes=(*env.scope.universes, *node.names)))
    elif isinstance(node, C.SetOption):
        session.env = env.with_scope(
            replace(env.scope, options=(*env.scope.options, (node.name, node.value)))
        )
    elif isinstance(node, C.InCommand):
        _in_command(session, node)
    elif isinstance(node, C.Check):
        _check(session, node)
    elif isinstance(node, C.PrintAxioms):
        _print_axioms(session, node)
    elif isinstance(node, C.Print):
        _print(session, node)
    elif isinstance(node, C.Eval):
        raise LeanError(f"not in the embedded fragment: {node.word}")
    else:
        name = node.name if isinstance(node, C.CommandOther) else type(node).__name__
        raise LeanError(f"not in the embedded fragment: {name}")


def _declaration(session: Elaboration, node: C.Decl) -> None:
    """`theorem A.foo` is declared, and its names are looked up, inside `namespace A`."""
    *spaces, last = name_parts(node.name or "") or [""]
    if not spaces or spaces[0] == "_root_":
        elab_decl(session, node)
        return
    space = ".".join(spaces)
    before = session.env.scopes
    full = f"{before[-1].namespace}.{space}" if before[-1].namespace else space
    session.env = replace(session.env, scopes=(*before, Scope("namespace", space, full)))
    try:
        elab_decl(session, replace(node, name=last))
    finally:
        session.env = replace(session.env, scopes=before)


# ---------------------------------------------------------------- scopes
def _open(session: Elaboration, node: C.Open) -> None:
    env = session.env
    aliases: list[tuple[str, str]] = []
    opened: list[str] = []
    for name in node.names:
        full = _namespace(env, name)
        if full is None:
            if name.split(".")[0] in OPENABLE:
                continue
            raise LeanError(f"unknown namespace `{name}`", node.start, node.end)
        for x in node.only:
            if not env.contains(f"{full}.{x}"):
                raise LeanError(f"Unknown identifier `{full}.{x}`", node.start, node.end)
            aliases.append((x, f"{full}.{x}"))
        aliases += [(new, f"{full}.{old}") for old, new in node.renaming]
        if not node.only and not node.renaming:
            opened.append(full)
    scope = env.scope
    session.env = env.with_scope(
        replace(scope, opens=(*scope.opens, *opened), aliases=(*scope.aliases, *aliases))
    )


def _namespace(env: Environment, name: str) -> str | None:
    spaces = [env.scope.namespace + "." + name] if env.scope.namespace else []
    for full in [*spaces, name]:
        dotted = full + "."
        if any([s.namespace == full for s in env.scopes]):
            return full
        for table in (env.kernel.own, env.kernel.base):
            if any([k.startswith(dotted) for k in table]):
                return full
    return None


def _end(session: Elaboration, node: C.End) -> None:
    env = session.env
    parts = name_parts(node.name or "") or [""]
    if len(env.scopes) <= len(parts):
        raise LeanError("invalid 'end', insufficient scopes")
    if [scope.name for scope in env.scopes[-len(parts) :]] != parts:
        expected = f" (expected {env.scope.name})" if env.scope.name else ""
        raise LeanError(f"invalid 'end', name mismatch{expected}")
    session.env = replace(env, scopes=env.scopes[: -len(parts)])


def _variable(session: Elaboration, node: C.Variable) -> None:
    env = session.env
    elab = session.elab()
    everything = [b for s in env.scopes for b in s.variables] + list(node.binders)
    with_binders(elab, everything, lambda vs: None)
    scope = env.scope
    session.env = env.with_scope(replace(scope, variables=(*scope.variables, *node.binders)))


def _in_command(session: Elaboration, node: C.InCommand) -> None:
    before = session.env
    scope = Scope("section", "", before.scope.namespace)
    session.env = replace(before, scopes=(*before.scopes, scope))
    try:
        _dispatch(session, node.first)
        run_command(session, node.second)
    finally:
        session.env = replace(session.env, scopes=before.scopes)


# ---------------------------------------------------------------- queries
def _check(session: Elaboration, node: C.Check) -> None:
    elab = session.elab()
    elab.log = Log()
    term = node.term
    if isinstance(term, S.Ident) and not term.explicit:
        full = elab.resolve(term.name)
        if full is not None:
            session.say("info", S.SyntaxNode(node.start, node.start + 6), signature(session.env, full))
            return
    e = elab.finish(elab.term(term))
    type_ = elab.inst(elab.infer(e))
    printer = Printer(elab, with_mathlib=session.env.with_mathlib)
    session.say(
        "info", S.SyntaxNode(node.start, node.start + 6), f"{printer.text(e)} : {printer.text(type_)}"
    )


def signature(env: Environment, name: str) -> str:
    """`name (x y : T) : type`, as `#check` prints a constant."""
    c = env.get(name)
    assert c is not None
    from harness.lean.core.term import instantiate, same
    from harness.lean.core.unify import Meta

    meta = Meta(env.kernel)
    printer = Printer(meta, with_mathlib=env.with_mathlib)
    groups: list[tuple[list[str], Expr, str]] = []
    type_ = c.type
    while isinstance(type_, Pi) and (type_.body.lb or type_.info != "d" or not type_.name.startswith("a")):
        v = FVar(type_.name, type_.type)
        if groups and same(groups[-1][1], type_.type) and groups[-1][2] == type_.info:
            groups[-1][0].append(v.name)
        else:
            groups.append(([v.name], type_.type, type_.info))
        type_ = instantiate(type_.body, v)
    marks = {"d": "()", "i": "{}", "s": "⦃⦄", "c": "[]"}
    parts = [f"{marks[i][0]}{' '.join(ns)} : {printer.text(t)}{marks[i][1]}" for ns, t, i in groups]
    levels = ".{" + ", ".join(c.params) + "}" if c.params else ""
    lead = " ".join([name + levels, *parts])
    return f"{lead} : {printer.text(type_)}"


def axiom_text(env: Environment, name: str) -> str:
    """The line of `#print axioms`."""
    axioms = sorted(env.axioms(name), key=lambda a: (a.count("."), a))
    if not axioms:
        return f"'{name}' does not depend on any axioms"
    return f"'{name}' depends on axioms: [{', '.join(axioms)}]"


def _print_axioms(session: Elaboration, node: C.PrintAxioms) -> None:
    elab = session.elab()
    full = elab.resolve(node.name)
    if full is None:
        raise LeanError(f"Unknown constant `{node.name}`", node.name_start, node.name_end)
    session.say("info", S.SyntaxNode(node.start, node.start + 6), axiom_text(session.env, full))


def _print(session: Elaboration, node: C.Print) -> None:
    elab = session.elab()
    full = elab.resolve(node.name)
    if full is None:
        raise LeanError(f"Unknown constant `{node.name}`", node.start, node.end)
    c = session.env.get(full)
    assert c is not None
    text = f"{c.kind} {signature(session.env, full)}"
    if c.value is not None:
        text += f" :=\n{print_closed(session.env, c.value)}"
    session.say("info", S.SyntaxNode(node.start, node.start + 6), text)


__all__ = ["Elaboration", "Header", "MVar", "axiom_text", "close", "elab_header", "full_name", "run_command"]
