"""The syntax of Lean's own library, registered again from the symbols of a compiled Lean.

The parsers, macros and unexpanders that Lean's `Init` declares are compiled into the shared library; what a
library of our own lacks is their registration. A *stub* of the right name and type is enough: Lean finds the
compiled code by the definition's name and never runs the stub's body.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.real_lean.probe import TRAILING_NODE

DATA_KINDS = "BDR"
"""Kinds of symbols (as `nm` prints them) that hold values rather than code."""

DERIVED = ("___boxed", "___closed__", "___lam__", "_spec_", "_redArg")
"""Marks of symbols that the compiler made beside a definition."""

ROOMS = {
    "": None,
    "Lean": None,
    "Lean.Elab.Tactic.Ext": "tactic",
    "Lean.Parser": None,
    "Lean.Parser.Attr": "attr",
    "Lean.Parser.Command": None,
    "Lean.Parser.Syntax": None,
    "Lean.Parser.Tactic": "tactic",
    "Lean.Parser.Tactic.Conv": "conv",
    "Lean.Parser.Tactic.SolveByElim": None,
    "Lean.Parser.Tactic.rcasesPat": "rcasesPat",
    "Lean.Parser.Tactic.rintroPat": "rintroPat",
}
"""Namespaces whose syntax is taken -> the category of their forms, where one holds for all."""

NAMED = (
    (re.compile(r"term.*"), "term"),
    (re.compile(r"tactic.*"), "tactic"),
    (re.compile(r"stx[_!].*"), "stx"),
    (re.compile(r"prec.+|addPrec|subPrec"), "prec"),
    (re.compile(r"prio.+|addPrio|subPrio"), "prio"),
    (re.compile(r"binderPred.+"), "binderPred"),
    (re.compile(r"(m(?:cases|intro|refine|revert)Pat)[^A-Za-z].*"), r"\1"),
    (re.compile(r"vcgenDischarge.+"), "vcgenDischarge"),
    (re.compile(r"conv[A-Z].*"), "conv"),
    (
        re.compile(
            r"(calc|coeNotation|coeFunNotation|coeSortNotation|rawNatLit|boolIfThenElse|byElab|includeStr)"
        ),
        "term",
    ),
    (re.compile(r"(calcTactic|cdot|solveTactic|conv)"), "tactic"),
    (
        re.compile(r"command.+|.*Cmd|runElab|runMeta|check(Simp|Tactic).*|classAbbrev|registerTryTactic"),
        "command",
    ),
    (re.compile(r"deprecated|deprecated_arg|univ_out_params"), "attr"),
)
"""The last part of a kind -> its category, which the compiled object does not tell."""


@dataclass(frozen=True)
class Parser:
    """One syntax form: the parts of its kind's name, and whether it continues a term on its left."""

    kind: tuple[str, ...]
    trailing: bool
    registered: bool
    """Nodes with antiquotations are parts of other forms: named by them, registered nowhere."""

    @property
    def category(self) -> str | None:
        """The syntax category it belongs to, or None for a part of other forms."""
        if not self.registered:
            return None
        for pattern, category in NAMED:
            found = pattern.fullmatch(self.kind[-1])
            if found:
                return found.expand(category)
        return ROOMS[".".join(self.kind[:-1])]


@dataclass(frozen=True)
class Rule:
    """A compiled macro or unexpander: its own name, and the kind or constant it is for."""

    name: tuple[str, ...]
    target: str
    number: int


def exported(library: Path) -> list[tuple[str, str]]:
    """The defined dynamic symbols of a shared library as (kind, name), in `nm`'s order."""
    text = subprocess.run(
        ["nm", "-D", "--defined-only", str(library)], check=True, capture_output=True, text=True
    ).stdout
    rows = (line.split() for line in text.splitlines())
    return [
        (row[1], row[2])
        for row in rows
        if row[2].startswith("l_") and not any(mark in row[2] for mark in DERIVED)
    ]


def mangled(part: str) -> str:
    """One component of a name as it stands in a symbol."""

    def escape(letter: str) -> str:
        if letter == "_":
            return "__"
        code = ord(letter)
        return f"_x{code:02x}" if code < 0x100 else f"_u{code:04x}" if code < 0x10000 else f"_U{code:08x}"

    return "".join(c if c.isascii() and c.isalnum() else escape(c) for c in part)


def unmangled(text: str) -> str:
    """The inverse of `mangled`, for one component."""
    return re.sub(
        r"__|_x([0-9a-f]{2})|_u([0-9a-f]{4})|_U([0-9a-f]{8})",
        lambda m: "_" if m.group() == "__" else chr(int(m.group()[2:], 16)),
        text,
    )


def parsers(library: Path, symbols: list[tuple[str, str]]) -> list[Parser]:
    """The syntax forms of the taken namespaces: objects whose kind is the name of their own symbol."""
    values = "\n".join(name for kind, name in symbols if kind in DATA_KINDS)
    probe = [sys.executable, str(Path(__file__).with_name("probe.py")), str(library)]
    found = json.loads(subprocess.run(probe, input=values, check=True, capture_output=True, text=True).stdout)
    kept = []
    for symbol, constructor, kind in found:
        own = symbol == "l_" + "_".join(map(mangled, kind))
        if own and ".".join(kind[:-1]) in ROOMS:
            kept.append(Parser(tuple(kind), constructor == TRAILING_NODE, len(kind) > 0 and constructor != 9))
    return kept


def rules(symbols: list[tuple[str, str]], word: str) -> list[Rule]:
    """Lean's own compiled `macroRules` or `unexpand` definitions, in the order of their numbers."""
    found = []
    pattern = re.compile(rf"l_(?:(\w+?)_)?(__aux__Init__\w+?______{word}__\w+?__(\d+))")
    for _, symbol in symbols:
        match = pattern.fullmatch(symbol)
        if match is None:
            continue
        room = tuple(match[1].split("_")) if match[1] else ()
        last = unmangled(match[2])
        target = re.split(rf"___{word}_", last, maxsplit=1)[1].removesuffix(f"_{match[3]}")
        found.append(Rule((*room, last), target, int(match[3])))
    return sorted(found, key=lambda rule: (rule.target, rule.number))


def quoted(name: tuple[str, ...]) -> str:
    """A name as Lean source, every part in guillemets."""
    return ".".join(f"«{part}»" for part in name)


def parser_stubs(found: list[Parser]) -> str:
    """Definitions and registrations of the syntax forms."""
    lines = []
    for parser in found:
        kind = "Lean.TrailingParserDescr" if parser.trailing else "Lean.ParserDescr"
        lines.append(f"def {quoted(parser.kind)} : {kind} := Lean.ParserDescr.const Lean.Name.anonymous")
        if parser.category is not None:
            lines.append(f"attribute [{parser.category}_parser 1000] {quoted(parser.kind)}")
    return "\n".join(lines) + "\n"


def macro_stubs(found: list[Rule], known: list[Parser]) -> str:
    """Definitions and registrations of the macros of known syntax forms."""
    kinds = {"_".join(parser.kind): parser.kind for parser in known}
    lines = []
    for rule in found:
        if rule.target in kinds:
            lines.append(f"def {quoted(rule.name)} : Lean.Macro := fun stx _ _ => stx")
            lines.append(f"attribute [macro {quoted(kinds[rule.target])}] {quoted(rule.name)}")
    return "\n".join(lines) + "\n"


UNEXPANDERS = {
    "unexpandEqNDRec": "Eq.ndrec",
    "unexpandEqRec": "Eq.rec",
    "unexpandExists": "Exists",
    "unexpandGetElem": "GetElem.getElem",
    "unexpandIte": "ite",
    "unexpandListCons": "List.cons",
    "unexpandListNil": "List.nil",
    "unexpandPSigma": "PSigma",
    "unexpandProdMk": "Prod.mk",
    "unexpandSigma": "Sigma",
    "unexpandSubtype": "Subtype",
    "unexpandUnit": "Unit.unit",
}
"""Unexpanders with names of their own -> the constant they are for."""


def unexpander_stubs(found: list[Rule], symbols: list[tuple[str, str]], declared: set[str]) -> str:
    """Definitions and registrations of the unexpanders of declared constants."""
    constants = {name.replace(".", "_"): name for name in declared}
    compiled = {symbol.removeprefix("l_") for _, symbol in symbols}
    pairs = [(quoted(rule.name), constants[rule.target]) for rule in found if rule.target in constants]
    pairs += [(name, constant) for name, constant in UNEXPANDERS.items() if name in compiled]
    lines = []
    for name, constant in pairs:
        lines.append(f"def {name} : Lean.PrettyPrinter.Unexpander := fun stx _ _ => stx")
        lines.append(f"attribute [app_unexpander {constant}] {name}")
    return "\n".join(lines) + "\n"
