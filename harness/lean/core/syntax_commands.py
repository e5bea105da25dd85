"""Syntax trees of commands, and what parsing one of them gives."""

from __future__ import annotations

from dataclasses import dataclass

from harness.lean.core.syntax import Binder, MatchAlt, SyntaxNode, Term


@dataclass(frozen=True, slots=True)
class Command(SyntaxNode):
    """Base of all commands."""


@dataclass(frozen=True, slots=True)
class Import(Command):
    """`import Module`."""

    module: str


@dataclass(frozen=True, slots=True)
class Open(Command):
    """`open A B`, `open A (x y)` (`only`), `open A hiding x` (`hiding`), `open scoped A` (`scoped`)."""

    names: tuple[str, ...]
    scoped: bool = False
    only: tuple[str, ...] = ()
    hiding: tuple[str, ...] = ()
    renaming: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Namespace(Command):
    """`namespace A.B`."""

    name: str


@dataclass(frozen=True, slots=True)
class Section(Command):
    """`section`, `section A`, `noncomputable section`."""

    name: str | None


@dataclass(frozen=True, slots=True)
class End(Command):
    """`end` or `end A`."""

    name: str | None


@dataclass(frozen=True, slots=True)
class Variable(Command):
    """`variable (x : T) {y} [i]`."""

    binders: tuple[Binder, ...]


@dataclass(frozen=True, slots=True)
class Include(Command):
    """`include x y` (`omit` for the other direction)."""

    names: tuple[str, ...]
    omit: bool = False


@dataclass(frozen=True, slots=True)
class SetOption(Command):
    """`set_option name value`: `value` is a bool, a number or a string."""

    name: str
    value: bool | int | str


@dataclass(frozen=True, slots=True)
class Universe(Command):
    """`universe u v`."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InCommand(Command):
    """`first in second`: `first` (open, set_option, variable, ...) holds for `second` only."""

    first: Command
    second: Command


@dataclass(frozen=True, slots=True)
class Modifiers(SyntaxNode):
    """What stands before the keyword; `words` such as private, protected, noncomputable, in order."""

    doc: str | None = None
    attributes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decl(Command):
    """A declaration: `kind` is theorem, lemma, example, def, abbrev, axiom, opaque or instance.

    `name` is None for `example` and a nameless `instance`; `name_start`/`name_end` its span (for an example,
    that of the keyword). `type` None when left out. `value` the term after `:=`, or None where there are
    equations (`alts`), for an axiom, and after a parse error. `value_start` is where `:=` or `|` stands.
    """

    kind: str
    modifiers: Modifiers
    name: str | None
    name_start: int
    name_end: int
    levels: tuple[str, ...]
    binders: tuple[Binder, ...]
    type: Term | None
    value: Term | None
    alts: tuple[MatchAlt, ...] = ()
    value_start: int = -1


@dataclass(frozen=True, slots=True)
class Check(Command):
    """`#check term`."""

    term: Term


@dataclass(frozen=True, slots=True)
class PrintAxioms(Command):
    """`#print axioms name`; `name_start`/`name_end` its span."""

    name: str
    name_start: int
    name_end: int


@dataclass(frozen=True, slots=True)
class Print(Command):
    """`#print name`."""

    name: str


@dataclass(frozen=True, slots=True)
class Eval(Command):
    """`#eval term`; `word` is #eval, #eval! or #reduce."""

    term: Term
    word: str = "#eval"


@dataclass(frozen=True, slots=True)
class Exit(Command):
    """`#exit`: nothing after it is read."""


@dataclass(frozen=True, slots=True)
class ModuleDoc(Command):
    """`/-! .. -/`."""


@dataclass(frozen=True, slots=True)
class CommandOther(Command):
    """A command outside of the fragment: `name` its first word, `text` its whole source."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class ParseError(SyntaxNode):
    """A syntax error in Lean's wording, at `start`."""

    message: str


@dataclass(frozen=True, slots=True)
class ParsedCommand(SyntaxNode):
    """One command, or what could be read of it (None when nothing could), with its errors."""

    command: Command | None
    errors: tuple[ParseError, ...]
