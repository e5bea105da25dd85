"""Commands: declarations, scopes, `#check`, `#print axioms`. Each takes an environment and gives the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from harness.lean.core import syntax as S
from harness.lean.core import syntax_commands as C
from harness.lean.core.elab import Elab, LeanError, Log, levels_in
from harness.lean.core.elab_terms import sorry_term, with_binders
from harness.lean.core.environment import Environment, Scope
from harness.lean.core.kernel import Constant, KernelError, add_axiom, add_definition
from harness.lean.core.metacontext import DEFAULT_HEARTBEATS
from harness.lean.core.printer import Printer, print_closed
from harness.lean.core.simpset import add_simp
from harness.lean.core.term import HAS_MVAR, PROP, ZERO, Expr, FVar, Lam, MVar, Pi, Sort, level_eq, level_vars
from harness.lean.core.unify import occurs

OPENABLE = (
    "BigOperators Real Nat Topology List Function Set Finset Filter Classical Int Rat Complex Polynomial Logic "
    "Lean Mathlib Std Option Prod Bool And Or Iff Eq Exists Decidable Fin Multiset Matrix MeasureTheory Metric"
).split()
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


@dataclass(slots=True)
class Session:
    """What one run of commands gathers."""

    env: Environment
    log: Log = field(default_factory=Log)
    declared: list[str] = field(default_factory=list)
    header: bool = True
    budget: int = DEFAULT_HEARTBEATS
    trusted: bool = False
    """Building the library: axioms keep quiet, nothing else differs."""

    def say(self, severity: str, node: S.Node, text: str) -> None:
        """Report something at a node."""
        self.log.messages.append((severity, node.start, node.end, text))

    def elab(self, extra_levels: Sequence[str] = ()) -> Elab:
        """A fresh elaborator over the present environment."""
        budget = self.env.option("maxHeartbeats")
        out = Elab(self.env, budget if isinstance(budget, int) and budget > 0 else self.budget)
        out.budget = min(out.budget, self.budget * 20)
        out.log = self.log
        names = [u for s in self.env.scopes for u in s.universes] + list(extra_levels)
        out.level_names = list(dict.fromkeys(names))
        return out


def run_command(session: Session, command: C.Command) -> None:
    """Run one command; errors become messages."""
    try:
        _dispatch(session, command)
    except LeanError as error:
        start = error.start if error.start >= 0 else command.start
        end = error.end if error.start >= 0 else command.end
        session.log.messages.append(("error", start, end, error.message))


def _dispatch(session: Session, node: C.Command) -> None:
    env = session.env
    if isinstance(node, C.Decl):
        elab_decl(session, node)
    elif isinstance(node, C.Import):
        session.env = replace(env, modules=(*env.modules, node.module))
    elif isinstance(node, C.ModuleDoc | C.Exit):
        return
    elif isinstance(node, C.Open):
        _open(session, node)
    elif isinstance(node, C.Namespace):
        full = f"{env.scope.namespace}.{node.name}" if env.scope.namespace else node.name
        session.env = replace(env, scopes=(*env.scopes, Scope("namespace", node.name, full)))
    elif isinstance(node, C.Section):
        session.env = replace(
            env, scopes=(*env.scopes, Scope("section", node.name or "", env.scope.namespace))
        )
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


# ---------------------------------------------------------------- scopes
def _open(session: Session, node: C.Open) -> None:
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


def _end(session: Session, node: C.End) -> None:
    env = session.env
    if len(env.scopes) == 1:
        raise LeanError("invalid 'end', insufficient scopes")
    scope = env.scope
    name = node.name or ""
    if scope.kind == "namespace" and name != scope.name or scope.kind == "section" and name != scope.name:
        raise LeanError(
            f"invalid 'end', name mismatch (expected {scope.name})"
            if scope.name
            else "invalid 'end', name mismatch"
        )
    session.env = replace(env, scopes=env.scopes[:-1])


def _variable(session: Session, node: C.Variable) -> None:
    env = session.env
    elab = session.elab()
    everything = [b for s in env.scopes for b in s.variables] + list(node.binders)
    with_binders(elab, everything, lambda vs: None)
    scope = env.scope
    session.env = env.with_scope(replace(scope, variables=(*scope.variables, *node.binders)))


def _in_command(session: Session, node: C.InCommand) -> None:
    before = session.env
    scope = Scope("section", "", before.scope.namespace)
    session.env = replace(before, scopes=(*before.scopes, scope))
    try:
        _dispatch(session, node.first)
        run_command(session, node.second)
    finally:
        session.env = replace(session.env, scopes=before.scopes)


# ---------------------------------------------------------------- declarations
@dataclass(slots=True)
class Header:
    """An elaborated statement: its variables (those of the section that it uses, then its own), its type, its levels."""

    elab: Elab
    vars: list[FVar]
    type: Expr
    params: tuple[str, ...]


def elab_header(session: Session, node: C.Decl, keep_all: bool = False) -> Header:
    """Binders and type of a declaration; section variables only where used (or all, for a `def`)."""
    elab = session.elab(node.levels)
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
    from harness.lean.core.term import App, Const, Let, Sort

    stack = [e]
    while stack:
        x = stack.pop()
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


def elab_decl(session: Session, node: C.Decl) -> None:
    """A declaration; on an error in its body it is added as sorried, as Lean does."""
    kind = node.kind
    name_node = S.Node(node.name_start, node.name_end)
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
    untyped_example = kind == "example" and node.type is None
    header = elab_header(session, node, keep_all=is_def)
    errors = sum([m[0] == "error" for m in session.log.messages])
    sorries = len(session.log.sorries)
    if node.value is None and not node.alts:
        return
    value_node: S.Term | None = node.value
    if value_node is None:
        value_node = S.FunMatch(node.value_start, node.end, node.alts)
    value = elab_value(session, header, value_node)
    del untyped_example
    constant = close(header, name, "theorem" if kind in ("theorem", "lemma") else "def", value)
    if kind in ("theorem", "lemma") or kind == "example":
        constant = replace(constant, kind="theorem") if _is_prop(header) else constant
        if (
            kind in ("theorem", "lemma")
            and constant.kind != "theorem"
            or not _is_prop(header)
            and kind != "example"
        ):
            raise LeanError(
                f"type of theorem `{name}` is not a proposition\n  {print_closed(session.env, constant.type)}",
                node.name_start,
                node.name_end,
            )
    if is_def:
        constant = replace(constant, reducible=kind == "abbrev" or "reducible" in node.modifiers.attributes)
    broken = sum([m[0] == "error" for m in session.log.messages]) > errors
    if _commit(
        session, name_node, lambda: add_definition(session.env.kernel, constant), name, kind == "example"
    ):
        if len(session.log.sorries) > sorries and not broken:
            session.say("warning", name_node, "declaration uses `sorry`")
        _attributes(session, node, name)
        if "protected" in node.modifiers.words:
            session.env = replace(session.env, protected=session.env.protected | {name})


def _is_prop(header: Header) -> bool:
    return level_eq(header.elab.inst_level(header.elab.sort_of(header.type)), ZERO)


def full_name(env: Environment, name: str | None) -> str:
    """The name inside the current namespace."""
    if name is None:
        return "_example"
    if name.startswith("_root_."):
        return name[7:]
    return f"{env.scope.namespace}.{name}" if env.scope.namespace else name


def elab_value(session: Session, header: Header, node: S.Term) -> Expr:
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


def _commit(session: Session, node: S.Node, add, name: str, example: bool = False) -> bool:  # type: ignore[no-untyped-def]
    try:
        kernel = add()
    except KernelError as error:
        session.say("error", node, str(error))
        return False
    if not example:
        session.env = replace(session.env, kernel=kernel)
        session.declared.append(name)
    return True


def _attributes(session: Session, node: C.Decl, name: str) -> None:
    for text in node.modifiers.attributes:
        word = text.split()[0] if text.split() else ""
        if word in ("simp",) or text.startswith(("local simp", "scoped simp")):
            session.env = add_simp(session.env, name)


# ---------------------------------------------------------------- queries
def _check(session: Session, node: C.Check) -> None:
    elab = session.elab()
    elab.log = Log()
    term = node.term
    if isinstance(term, S.Ident) and not term.explicit:
        full = elab.resolve(term.name)
        if full is not None:
            session.say("info", S.Node(node.start, node.start + 6), signature(session.env, full))
            return
    e = elab.finish(elab.term(term))
    type_ = elab.inst(elab.infer(e))
    printer = Printer(elab, unicode_nat=session.env.unicode_nat)
    session.say("info", S.Node(node.start, node.start + 6), f"{printer.text(e)} : {printer.text(type_)}")


def signature(env: Environment, name: str) -> str:
    """`name (x y : T) : type`, as `#check` prints a constant."""
    c = env.get(name)
    assert c is not None
    from harness.lean.core.term import instantiate, same
    from harness.lean.core.unify import Meta

    meta = Meta(env.kernel)
    printer = Printer(meta, unicode_nat=env.unicode_nat)
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


def _print_axioms(session: Session, node: C.PrintAxioms) -> None:
    elab = session.elab()
    full = elab.resolve(node.name)
    if full is None:
        raise LeanError(f"Unknown constant `{node.name}`", node.name_start, node.name_end)
    session.say("info", S.Node(node.start, node.start + 6), axiom_text(session.env, full))


def _print(session: Session, node: C.Print) -> None:
    elab = session.elab()
    full = elab.resolve(node.name)
    if full is None:
        raise LeanError(f"Unknown constant `{node.name}`", node.start, node.end)
    c = session.env.get(full)
    assert c is not None
    text = f"{c.kind} {signature(session.env, full)}"
    if c.value is not None:
        text += f" :=\n{print_closed(session.env, c.value)}"
    session.say("info", S.Node(node.start, node.start + 6), text)


__all__ = ["Header", "MVar", "Session", "axiom_text", "close", "elab_header", "full_name", "run_command"]
