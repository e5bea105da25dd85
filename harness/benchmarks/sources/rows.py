"""From one row or file of a public data set to a `Problem`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from harness.benchmarks.manifest import Manifest
from harness.benchmarks.own_rows import Placed
from harness.benchmarks.sources.lean_text import THEOREM_WORDS, Piece, cut, has_theorem, proof_in
from harness.errors import SpecError
from harness.lean.text.lexer import lex, significant
from harness.types import Problem

TRACKS = ("with answer", "without answer")


def problem_of(found: Manifest, row: Mapping[str, Any], split: str, where: str) -> Problem | None:
    """The problem that `row` states; None when it states none and the manifest says to skip those.

    `source.columns` names the columns: `name`, `text` (one column, or several that make the file together),
    `informal`, `gold`. A `lean` column that holds a whole file wins over all of them.
    """
    columns = found.source.get("columns", {})
    text, whole = _text(row, columns, where)
    if found.source.get("skip_unported") and not has_theorem(text, where):
        return None
    words = found.source.get("words", THEOREM_WORDS)
    piece = cut(text, where, last=bool(found.source.get("last_theorem")), words=words)
    names = (row.get(columns.get("name", "name")), row.get("name"), piece.name)
    name = next(str(name) for name in names if name not in (None, ""))
    informal = str(row.get(columns.get("informal", ""), "") or piece.docstring)
    gold = row.get(columns.get("gold", ""))
    if not isinstance(gold, str | None):
        raise SpecError(f"{where}: column {columns['gold']!r}: expected a proof as text, found {gold!r}")
    return problem_from_piece(found, piece, name, split, informal=informal, gold=gold or None, whole=whole)


def problem_from_piece(
    found: Manifest,
    piece: Piece,
    name: str,
    split: str,
    *,
    informal: str = "",
    gold: str | None = None,
    whole: bool = True,
) -> Problem:
    """The problem of one cut theorem. `whole`: keep the text byte for byte; else add a missing `sorry`."""
    header = found.source.get("header") or piece.header or found.header
    words = [token.text for token in significant(lex(piece.tail))]
    proof = gold if gold is not None else proof_in(piece.tail)
    kept = whole and proof is None and "sorry" in words
    tail = piece.tail if kept else _placeholder(piece.tail, words, proof)
    holes = piece.holes
    if found.source.get("track") == "without answer":
        holes = tuple(dataclasses.replace(hole, answer="") for hole in holes)
    return Problem(
        id=name,
        benchmark=found.name,
        split=split,
        header=header,
        statement=piece.statement,
        theorem=piece.name,
        placeholder=tail,
        holes=holes,
        informal=informal or piece.docstring,
        toolchain=found.toolchain,
        category=name.split("_")[0],
        gold=proof,
    )


def _text(row: Mapping[str, Any], columns: Mapping[str, Any], where: str) -> tuple[str, bool]:
    if isinstance(row.get("lean"), str):
        return row["lean"], True
    wanted = columns.get("text", "formal_statement")
    parts = []
    for column in [wanted] if isinstance(wanted, str) else wanted:
        if column not in row:
            raise SpecError(f"{where}: column {column!r} is missing; the row has {', '.join(sorted(row))}")
        part = "" if row[column] is None else row[column]
        if not isinstance(part, str):
            raise SpecError(f"{where}: column {column!r}: expected text, found {part!r}")
        parts.append(part if part.endswith("\n") or not part else part + "\n")
    return ("".join(parts).removesuffix("\n") if len(parts) == 1 else "".join(parts)), False


def _placeholder(tail: str, words: list[str], proof: str | None) -> str:
    """`tail` when it ends in a sorry, else completed to one."""
    if proof is None and words[-1:] == ["sorry"]:
        return tail.rstrip()
    if proof is None and words == [":=", "by"]:
        return tail.rstrip() + " sorry"
    return " := by sorry"


def distinct(placed: Iterable[Placed]) -> Iterator[Placed]:
    """One problem per revision, and ids made unique by a counter: for training sets that repeat rows."""
    seen: set[str] = set()
    names: dict[str, int] = {}
    for where, problem in placed:
        if problem.revision in seen:
            continue
        seen.add(problem.revision)
        count = names[problem.id] = names.get(problem.id, 0) + 1
        yield where, problem if count == 1 else dataclasses.replace(problem, id=f"{problem.id}#{count}")
