"""From text to syntax trees: commands, tactics, terms.

A wrong command is an error in Lean's wording at its place, and the next one goes on. A tactic is parsed
alone, as the REPL's tactic mode does: one tactic (with its `<;>`), nothing behind it.
"""

from __future__ import annotations

from functools import lru_cache

from harness.lean.core.parse_base import SyntaxFailure
from harness.lean.core.parse_commands import CommandParser
from harness.lean.core.parse_tactics import TacticParser
from harness.lean.core.parse_terms import TermParser
from harness.lean.core.syntax import Term
from harness.lean.core.syntax_commands import ParsedCommand
from harness.lean.core.syntax_tactics import Tactic, TacticSeq

__all__ = [
    "SyntaxFailure",
    "input_message",
    "parse_commands",
    "parse_tactic",
    "parse_tactic_seq",
    "parse_term",
]


def parse_commands(source: str) -> tuple[ParsedCommand, ...]:
    """All commands of a file. Never raises; what cannot be read is a `ParsedCommand` with errors."""
    return tuple(CommandParser(source).commands())


@lru_cache(maxsize=8192)
def parse_tactic(source: str) -> Tactic:
    """The one tactic that `source` holds.

    Raises:
        SyntaxFailure: it holds none, or more behind it.
    """
    parser = TacticParser(source)
    parser.column = parser.columns[0]  # what a second line in the first one's column holds is no argument
    tactic = parser.tactic()
    _expect_end(parser)
    return tactic


def parse_tactic_seq(source: str) -> TacticSeq:
    """A whole tactic block (without `by`).

    Raises:
        SyntaxFailure: `source` is no tactic block.
    """
    parser = TacticParser(source)
    block = parser.tactic_block()
    _expect_end(parser)
    return block


def parse_term(source: str) -> Term:
    """A term.

    Raises:
        SyntaxFailure: `source` is no term.
    """
    parser: TermParser = TacticParser(source)
    term = parser.term()
    _expect_end(parser)
    return term


def input_message(source: str, failure: SyntaxFailure) -> str:
    """Lean's form for an error in text that is no file: `<input>:line:column: message`, columns from 1."""
    before = source[: failure.error.start]
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1)
    return f"<input>:{line}:{column + 1}: {failure.error.message}"


def _expect_end(parser: TermParser) -> None:
    if parser.at < parser.size:
        raise parser.unexpected("end of input")
