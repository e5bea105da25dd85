"""The library: inductive types from an audited list, then `prelude/*.lean`, all checked by the kernel."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from harness.lean.core import syntax_commands as C
from harness.lean.core.elab_commands import Elaboration, elab_header, run_command
from harness.lean.core.environment import ROOT, Environment, remember_axioms
from harness.lean.core.kernel import InductiveDecl, KernelEnv, add_axiom, add_inductive, add_quot
from harness.lean.core.parser import parse_commands
from harness.lean.core.term import Expr, Pi, Sort, bind_pi, head_args, instantiate

FOLDER = Path(__file__).parent / "prelude"
FILES = ("logic.lean", "classical.lean", "nat.lean", "list.lean", "omega.lean", "decide.lean")

INDUCTIVES: tuple[tuple[str, int, str, tuple[tuple[str, str], ...]], ...] = (
    ("True", 0, "Prop", (("intro", "True"),)),
    ("False", 0, "Prop", ()),
    ("And", 2, "∀ (a b : Prop), Prop", (("intro", "∀ {a b : Prop} (left : a) (right : b), And a b"),)),
    (
        "Or",
        2,
        "∀ (a b : Prop), Prop",
        (("inl", "∀ {a b : Prop} (h : a), Or a b"), ("inr", "∀ {a b : Prop} (h : b), Or a b")),
    ),
    ("Iff", 2, "∀ (a b : Prop), Prop", (("intro", "∀ {a b : Prop} (mp : a → b) (mpr : b → a), Iff a b"),)),
    ("Eq", 2, "{α : Sort u_1} → α → α → Prop", (("refl", "∀ {α : Sort u_1} (a : α), @Eq α a a"),)),
    (
        "Exists",
        2,
        "{α : Sort u} → (p : α → Prop) → Prop",
        (("intro", "∀ {α : Sort u} {p : α → Prop} (w : α) (h : p w), @Exists α p"),),
    ),
    ("Nonempty", 1, "(α : Sort u) → Prop", (("intro", "∀ {α : Sort u} (val : α), Nonempty α"),)),
    ("Nat", 0, "Type", (("zero", "Nat"), ("succ", "(n : Nat) → Nat"))),
    ("Bool", 0, "Type", (("false", "Bool"), ("true", "Bool"))),
    (
        "Nat.le",
        1,
        "(n : Nat) → Nat → Prop",
        (
            ("refl", "∀ {n : Nat}, Nat.le n n"),
            ("step", "∀ {n m : Nat} (a : Nat.le n m), Nat.le n (Nat.succ m)"),
        ),
    ),
    (
        "List",
        1,
        "(α : Type u) → Type u",
        (("nil", "{α : Type u} → List α"), ("cons", "{α : Type u} → (head : α) → (tail : List α) → List α")),
    ),
    (
        "List.Mem",
        2,
        "{α : Type u} → (a : α) → List α → Prop",
        (
            ("head", "∀ {α : Type u} {a : α} (as : List α), List.Mem a (List.cons a as)"),
            (
                "tail",
                "∀ {α : Type u} {a : α} (b : α) {as : List α} (a_1 : List.Mem a as), "
                "List.Mem a (List.cons b as)",
            ),
        ),
    ),
    (
        "Subtype",
        2,
        "{α : Sort u} → (p : α → Prop) → Sort (max 1 u)",
        (("mk", "{α : Sort u} → {p : α → Prop} → (val : α) → (property : p val) → Subtype p"),),
    ),
    (
        "Prod",
        2,
        "(α : Type u) → (β : Type v) → Type (max u v)",
        (("mk", "{α : Type u} → {β : Type v} → (fst : α) → (snd : β) → Prod α β"),),
    ),
    (
        "Option",
        1,
        "(α : Type u) → Type u",
        (("none", "{α : Type u} → Option α"), ("some", "{α : Type u} → (val : α) → Option α")),
    ),
)


def _type(env: Environment, text: str, levels: tuple[str, ...]) -> Expr:
    (parsed,) = parse_commands(f"axiom x : {text}")
    assert isinstance(parsed.command, C.Decl), parsed.errors
    session = Elaboration(env)
    node = replace(parsed.command, levels=levels)
    header = elab_header(session, node)
    return header.elab.default_levels(header.type)


Ctors = tuple[tuple[str, str], ...]


def _declare(env: Environment, name: str, nparams: int, type_text: str, ctors: Ctors) -> Environment:
    levels = tuple(sorted(set(re.findall(r"(?:Sort|Type) ([uv]\w*)", type_text))))
    type_ = _type(env, type_text, levels)
    # constructors mention the family: give it a temporary constant to elaborate against
    temporary = replace(env, kernel=add_axiom(env.kernel, name, levels, type_))
    made = tuple([(f"{name}.{short}", _type(temporary, text, levels)) for short, text in ctors])
    return replace(env, kernel=add_inductive(env.kernel, InductiveDecl(name, levels, nparams, type_, made)))


def build() -> Environment:
    """The library from its sources. Raises RuntimeError naming the first declaration that fails."""
    env = Environment(KernelEnv())
    for name, nparams, type_text, ctors in INDUCTIVES:
        env = _declare(env, name, nparams, type_text, ctors)
    env = replace(env, kernel=add_quot(env.kernel))
    for file in FILES:
        source = (FOLDER / file).read_text(encoding="utf-8")
        session = Elaboration(env, trusted=True)
        for parsed in parse_commands(source):
            for e in parsed.errors:
                raise RuntimeError(f"{file}: {e.message} at {_line(source, e.start)}")
            if parsed.command is not None:
                run_command(session, parsed.command)
            if session.log.messages:
                _, start, end, text = session.log.messages[0]
                raise RuntimeError(f"{file}:{_line(source, start)}: {text}\n  at {source[start:end]!r}")
        env = replace(session.env, kernel=session.env.kernel.frozen(), scopes=(ROOT,))
    remember_axioms(env.kernel)
    return env


def _line(source: str, at: int) -> int:
    return source.count("\n", 0, at) + 1


@lru_cache(maxsize=1)
def library() -> Environment:
    """The library, built once per process."""
    return build()


__all__ = ["Pi", "Sort", "bind_pi", "build", "head_args", "instantiate", "library"]
