"""Stated declarations through the kernel, and what comes of it.

A recursor, the number of a constructor's fields and whatever else follows from a declaration is made by the
kernel and then compared with what the file states: a file may not bring its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from harness.lean.compiled.stated import UNSTATED, BadFile, Stated
from harness.lean.core.kernel import (
    DEFAULT_STEPS,
    Checker,
    Constant,
    InductiveDecl,
    KernelDeclined,
    KernelDepth,
    KernelEnv,
    KernelError,
    KernelTimeout,
    add_axiom,
    add_definition,
    add_inductive,
    add_quot,
)
from harness.lean.core.level import TermTooLarge
from harness.lean.core.term import subst_params
from harness.lean.core.work import OutOfTime, nodes_granted


class Outcome(StrEnum):
    """What the kernel makes of a declaration. A gap in the kernel is never called an error in a proof."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    DECLINED = "declined"
    """It needs something, named in the detail, that this kernel does not do."""
    OUT_OF_TIME = "out of time"


@dataclass(frozen=True, slots=True)
class Replayed:
    """The outcome for one declaration; `env` has it if it was accepted."""

    outcome: Outcome
    env: KernelEnv
    detail: str = ""


def replay(env: KernelEnv, group: Sequence[Stated], steps: int = DEFAULT_STEPS) -> Replayed:
    """Check what is declared together: one constant, families with all that belongs to them, or `Quot`.

    Raises `OutOfTime` only when the caller's own deadline has passed.
    """
    try:
        with nodes_granted(steps):
            return Replayed(Outcome.ACCEPTED, _added(env, group, steps))
    except KernelDeclined as gap:
        return Replayed(Outcome.DECLINED, env, str(gap))
    except (KernelTimeout, KernelDepth) as late:
        return Replayed(Outcome.OUT_OF_TIME, env, str(late))
    except (TermTooLarge, RecursionError):
        return Replayed(Outcome.OUT_OF_TIME, env, "(kernel) too large or too deep")
    except (KernelError, BadFile) as wrong:
        return Replayed(Outcome.REFUSED, env, str(wrong))


def _added(env: KernelEnv, group: Sequence[Stated], steps: int) -> KernelEnv:
    kinds = {stated.constant.kind for stated in group}
    for stated in group:
        if stated.unchecked:
            raise KernelDeclined(f"(kernel) not done here: {stated.unchecked} '{stated.constant.name}'")
    if kinds <= {"inductive", "ctor", "rec"}:
        return _families(env, [stated.constant for stated in group])
    if kinds == {"quot"}:
        return _quotients(env, [stated.constant for stated in group])
    if len(group) != 1:
        raise KernelError("(kernel) definitions that need each other")
    c = group[0].constant
    if c.kind == "axiom":
        return add_axiom(env, c.name, c.params, c.type)
    return add_definition(env, c, steps)


def _quotients(env: KernelEnv, stated: Sequence[Constant]) -> KernelEnv:
    new = env if env.get("Quot") is not None else add_quot(env)
    for c in stated:
        made = new.get(c.name)
        if made is None or made.kind != "quot" or not agree(new, c, made):
            raise KernelError(f"(kernel) '{c.name}' is not the standard one")
    return new


def _families(env: KernelEnv, stated: Sequence[Constant]) -> KernelEnv:
    by_name = {c.name: c for c in stated}
    families = [c for c in stated if c.kind == "inductive"]
    if not families or len(by_name) < len(stated):
        raise KernelError("(kernel) constructors or recursors without their family, or twice")
    decls = []
    for family in families:
        ctors = []
        for name in family.ctors:
            ctor = by_name.get(name)
            if ctor is None or ctor.kind != "ctor" or ctor.params != family.params:
                raise KernelError(f"(kernel) '{name}' is no constructor of '{family.name}'")
            ctors.append((name, ctor.type))
        decls.append(InductiveDecl(family.name, family.params, family.nparams, family.type, tuple(ctors)))
    new = add_inductive(env, *decls)
    for name in new.own.keys() - env.own.keys() - by_name.keys():
        made = new.get(name)
        if made is not None and made.kind != "rec":
            raise KernelError(f"(kernel) '{name}' is not stated")
    for c in stated:
        made = new.own.get(c.name)
        if made is None or c.name in env.own or not agree(new, c, made):
            raise KernelError(f"(kernel) '{c.name}' is not what its family makes")
    return new


def agree(env: KernelEnv, stated: Constant, made: Constant) -> bool:
    """Whether a constant is as stated: kind and numbers alike, types and rules the same by conversion.

    Level parameters are compared by position.
    """
    if _told(stated, made) != _numbers(made) or len(stated.params) != len(made.params):
        return False
    levels = {p: ("p", q) for p, q in zip(stated.params, made.params, strict=True)}
    checker = Checker(env, params=made.params)
    pairs = [(stated.type, made.type)]
    pairs += [(s.rhs, m.rhs) for s, m in zip(stated.rules, made.rules, strict=True)]
    return all(checker.equal(subst_params(s, levels), m) for s, m in pairs)


def _told(stated: Constant, made: Constant) -> tuple[object, ...]:
    """The numbers stated; where the file tells none, what was made."""
    if stated.nindices == UNSTATED:
        stated = replace(stated, nindices=made.nindices)
    if stated.nfields == UNSTATED:
        stated = replace(stated, nfields=made.nfields)
    return _numbers(stated)


def _numbers(c: Constant) -> tuple[object, ...]:
    rules = [(rule.ctor, rule.nfields) for rule in c.rules]
    counts = (c.nparams, c.nindices, c.nfields, c.nmotives, c.nminors)
    induct = c.induct if c.kind == "ctor" else ""
    return (c.kind, counts, c.ctors, rules, c.k, induct)


def without_params(c: Constant) -> Constant:
    """The same with its level parameters named by position, for comparing two of them."""
    names = tuple(f"u{k}" for k in range(len(c.params)))
    levels = {p: ("p", q) for p, q in zip(c.params, names, strict=True)}
    value = None if c.value is None else subst_params(c.value, levels)
    return replace(c, params=names, type=subst_params(c.type, levels), value=value)


__all__ = ["OutOfTime", "Outcome", "Replayed", "agree", "replay", "without_params"]
