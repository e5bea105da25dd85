"""The text of the library that stands in for Lean's own `Init`, put together from parts.

Order matters: types without notation, syntax categories, stubs that register the compiled parsers and macros,
then facts with notation: first those that Lean's tactics ask for by name, then the lemmas of the harness's
own core, so that what the core proves with them can be proved here too, and last the unexpanders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from harness.lean.core.library import FILES, FOLDER
from tests.real_lean import symbols as compiled

PARTS = Path(__file__).with_name("library")

PRIVATE = frozenset({"omega.lean", "decide.lean"})
"""Files of the core's library that hold only what its own tactics build proofs from."""

_DECLARATION = re.compile(
    r"^(?:@\[[^\]]*\] )*(?:noncomputable |protected |private |scoped |unsafe )*"
    r"(?:class inductive|theorem|def|abbrev|axiom|structure|class|inductive) ([^\s:({\[]+)",
    re.MULTILINE,
)
_FIELD = re.compile(r"^  (\w+) ")
_INJECTIVE = re.compile(r"^gen_injective_theorems% (\S+)$", re.MULTILINE)
_CONSTRUCTORS = {"Nat": "succ", "List": "cons", "Option": "some"}


def part(name: str) -> str:
    """One of our own parts."""
    return (PARTS / f"{name}.lean").read_text(encoding="utf-8")


def declarations(text: str) -> set[str]:
    """Names that `text` declares, fields of structures and the facts of injectivity among them."""
    names = {match.split(".{")[0] for match in _DECLARATION.findall(text)}
    owner = ""
    for line in text.splitlines():
        match = re.match(r"(?:class|structure) ([^\s:({\[.]+(?:\.[A-Z]\w*)*)", line)
        owner = match[1] if match else owner if line.startswith(" ") else ""
        field = _FIELD.match(line)
        if owner and field:
            names.add(f"{owner}.{field[1]}")
    for family in _INJECTIVE.findall(text):
        constructor = f"{family}.{_CONSTRUCTORS.get(family, 'mk')}"
        names |= {f"{constructor}.inj", f"{constructor}.injEq"}
    return names


def core_lemmas(known: set[str]) -> str:
    """The core's library without what is `known` already (its definitions are made from recursors)."""
    kept: list[str] = []
    for file in FILES:
        if file not in PRIVATE:
            kept += _blocks((FOLDER / file).read_text(encoding="utf-8"), known)
    return "\n".join(kept) + "\n"


def _blocks(text: str, known: set[str]) -> Iterator[str]:
    for block in re.split(r"\n(?=\S)", text):
        match = _DECLARATION.match(block)
        if not block.startswith("universe") and not (match and match[1] in known):
            yield block


def init_text(library: Path) -> str:
    """The whole of `Init.lean` for the compiled Lean in a shared library."""
    symbols = compiled.exported(library)
    parsers = compiled.parsers(library, symbols)
    syntax = [
        part("categories"),
        compiled.parser_stubs(parsers),
        compiled.macro_stubs(compiled.rules(symbols, "macroRules"), parsers),
    ]
    own = [part("types"), *syntax, part("facts")]
    facts = [*own, core_lemmas(declarations("\n".join(own))), part("after")]
    declared = declarations("\n".join(facts))
    unexpanders = compiled.unexpander_stubs(compiled.rules(symbols, "unexpand"), symbols, declared)
    return "\n".join([*facts, unexpanders])
