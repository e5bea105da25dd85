"""The LeanDojo Benchmark: theorems of a traced library, which has tactics and places but no statements.

A problem is the theorem at its place in the library's own source: the header is the file up to the theorem,
so everything before it is in scope and nothing after it. The gold proof is the list of traced tactics.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.benchmarks.manifest import Manifest
from harness.benchmarks.own_rows import Placed
from harness.benchmarks.sources.lean_text import cut
from harness.errors import SpecError
from harness.types import Problem

SETTINGS = ("random", "novel_premises")
_SPLITS = {"train": "train", "val": "valid", "test": "test"}


def problems_in(found: Manifest, folder: Path) -> Iterator[Placed]:
    """Problems of `folder/<setting>/{train,val,test}.json`; the library's source lies in `folder/source`.

    The setting is `source.rows.setting` of the manifest. Raises `SpecError` when a part is missing.
    """
    setting = str(found.source.get("rows", {}).get("setting", SETTINGS[0]))
    library = folder / "source"
    if not (folder / setting).is_dir() or not library.is_dir():
        raise SpecError(
            f"{found.name}: {folder} needs {setting}/ (the benchmark) and source/ (a checkout of the traced "
            f"library at the commit in metadata.json); statements are read from the latter"
        )
    for name, split in _SPLITS.items():
        path = folder / setting / f"{name}.json"
        if path.is_file():
            for row in rows(path):
                yield f"{path}: {row['full_name']}", _problem(found, row, split, library)


def rows(path: Path) -> list[dict[str, Any]]:
    """The theorems of one file of the benchmark. Raises `SpecError` naming the file."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as cause:
        raise SpecError(f"{path}: cannot be read as JSON: {cause}") from cause
    if not isinstance(data, list):
        raise SpecError(f"{path}: expected a list of theorems")
    return data


def _problem(found: Manifest, row: Mapping[str, Any], split: str, library: Path) -> Problem:
    where = f"{row['file_path']}: {row['full_name']}"
    try:
        text = (library / row["file_path"]).read_text(encoding="utf-8")
    except OSError as cause:
        raise SpecError(f"{where}: no such file in {library}") from cause
    start, end = _offset(text, row["start"]), _offset(text, row["end"])
    piece = cut(text[start:end], where)
    tactics = [str(step["tactic"]) for step in row.get("traced_tactics", ())]
    return Problem(
        id=f"{row['full_name']}@{row['file_path']}",
        benchmark=found.name,
        split=split,
        header=text[:start] + piece.header,
        statement=piece.statement,
        theorem=piece.name,
        toolchain=found.toolchain,
        category=str(row["file_path"]).rsplit("/", 1)[0],
        family=str(row["file_path"]),
        difficulty=len(tactics) or None,
        gold="\n".join(tactics) or None,
    )


def _offset(text: str, place: list[int]) -> int:
    """Offset of a [line, column] pair, both counted from 1 as LeanDojo does."""
    line, column = place
    at = 0
    for _ in range(line - 1):
        at = text.index("\n", at) + 1
    return at + column - 1
