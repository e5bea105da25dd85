"""The embedded core's own library in LeanDojo's format: its theorems as premises, and those proofs name.

One query a theorem: its initial goal, with the theorems of the library that its proof names by their full
names. What a proof takes by dot notation (`h.symm`) or what a tactic finds by itself is not counted.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.benchmarks.sources.lean_text import Piece, cut_all
from harness.errors import InfraError
from harness.lean.core.library import FILES, FOLDER
from harness.lean.services.embedded import CoreSessions
from harness.lean.text.lexer import lex, significant
from harness.types import Problem


def entries() -> list[dict[str, Any]]:
    """The files of the library as lines of a `corpus.jsonl`; every file imports those before it."""
    files: list[dict[str, Any]] = []
    for name in FILES:
        premises = [
            {"full_name": piece.name, "code": piece.statement, "start": start, "end": end}
            for piece, start, end in _theorems(name)
        ]
        files.append({"path": _path(name), "imports": [item["path"] for item in files], "premises": premises})
    return [*files, {"path": "Init.lean", "imports": [item["path"] for item in files], "premises": []}]


def theorems() -> list[dict[str, Any]]:
    """Every theorem whose proof names another one, as LeanDojo tells a theorem."""
    places: dict[str, dict[str, Any]] = {}
    rows = []
    for name in FILES:
        for piece, start, end in _theorems(name):
            words = dict.fromkeys(token.text.lstrip("@") for token in significant(lex(piece.tail)))
            used = [places[word] for word in words if word in places]
            state = asyncio.run(_initial(piece)) if used else None
            if state is not None:
                step = {
                    "tactic": piece.tail.strip(),
                    "annotated_tactic": [piece.tail.strip(), used],
                    "state_before": state,
                    "state_after": "no goals",
                }
                row = {"file_path": _path(name), "full_name": piece.name, "start": start, "end": end}
                rows.append({**row, "traced_tactics": [step]})
            places[piece.name] = {"full_name": piece.name, "def_path": _path(name), "def_pos": start}
    return rows


def write(folder: Path) -> None:
    """Both as files: `corpus.jsonl` and `random/test.json`."""
    (folder / "random").mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(item, ensure_ascii=False) for item in entries()]
    (folder / "corpus.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "random" / "test.json").write_text(json.dumps(theorems(), ensure_ascii=False), encoding="utf-8")


@lru_cache(maxsize=len(FILES))
def _theorems(name: str) -> list[tuple[Piece, list[int], list[int]]]:
    """Each theorem of a file with the places of its statement's first and last character."""
    return list(_found(name))


def _found(name: str) -> Iterator[tuple[Piece, list[int], list[int]]]:
    text = (FOLDER / name).read_text(encoding="utf-8")
    at = 0
    for piece in cut_all(text, name):
        start = text.index(piece.statement, at)
        at = start + len(piece.statement)
        yield piece, _place(text, start), _place(text, at - 1)


def _place(text: str, at: int) -> list[int]:
    return [text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)]


def _path(name: str) -> str:
    return f"Init/{name}"


@lru_cache(maxsize=1)
def _sessions() -> CoreSessions:
    return CoreSessions()


async def _initial(piece: Piece) -> str | None:
    """The initial goal as the core prints it, under another name; None when it cannot be stated alone."""
    statement = piece.statement[piece.statement.index("theorem ") :]
    statement = statement.replace(piece.name, "query", 1)
    try:
        session = await _sessions().open(Problem("query", "", "", "", statement, "query"))
        return (await session.start()).text
    except InfraError:
        return None
