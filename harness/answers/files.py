"""The rows of a file of answers: JSON Lines, JSON, CSV, Parquet, or a folder with one `.lean` file a problem.

A row is a mapping of column names to values; in a row of JSON a dotted name reaches into objects.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import importlib.util
import io
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.strict_json import RepeatedKey, distinct

Row = tuple[str, Mapping[str, Any]]
"""A row, and the place where it stands: `FILE:LINE`, `FILE[3]` or a file."""
KINDS = ".jsonl, .json, .csv (each also as .gz), .parquet, or a folder of .lean files"
PROBLEM, ANSWER = "problem", "answer"
LAKE = "lakefile.lean"
"""What builds a folder of solutions, and is none."""


def rows(path: Path) -> Iterator[Row]:
    """Every row of `path`, one by one. Raises `UserError` naming file, place and fix."""
    if path.is_dir():
        yield from _lean_files(path)
        return
    suffix = next((end for end in reversed(path.suffixes) if end != ".gz"), "").lower()
    readers = {".jsonl": _lines, ".ndjson": _lines, ".json": _document, ".csv": _table, ".parquet": _parquet}
    if not path.exists():
        raise UserError(f"{path}: no such file; answers are {KINDS}")
    if suffix not in readers:
        raise UserError(f"{path}: {suffix or 'no suffix'}: answers are {KINDS}")
    yield from readers[suffix](path)


def content_of(path: Path) -> str:
    """SHA-256 of the file, or of the names and contents of a folder's `.lean` files."""
    files = sorted(path.rglob("*.lean")) if path.is_dir() else [path]
    found = hashlib.sha256()
    for file in files:
        if path.is_dir():
            found.update(f"{file.relative_to(path)}\n".encode())
        found.update(file.read_bytes())
    return found.hexdigest()


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if path.suffix == ".gz" else data
    except (OSError, EOFError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None


def _text(path: Path) -> str:
    try:
        return _bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from None


def _lines(path: Path) -> Iterator[Row]:
    # Not splitlines: a proof may hold other line separators, which JSON leaves as they are.
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            yield _row(f"{path}:{number}", _json(f"{path}:{number}", line))


def _document(path: Path) -> Iterator[Row]:
    """A list of rows, or an object of problem: answer or list of answers."""
    found = _json(str(path), _text(path))
    if isinstance(found, list):
        for number, item in enumerate(found):
            yield _row(f"{path}[{number}]", item)
    elif isinstance(found, dict) and all(_answers(value) for value in found.values()):
        for name, value in found.items():
            yield f"{path}: {name}", {PROBLEM: name, ANSWER: value}
    else:
        raise UserError(
            f"{path}: not a list of rows, nor an object with an answer, or a list of them, for each problem"
        )


def _answers(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value))


def _json(where: str, text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=distinct)
    except RepeatedKey as error:
        raise UserError(f"{where}: {error}; keep one") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: not JSON: {error}") from None


def _row(where: str, found: object) -> Row:
    if not isinstance(found, dict):
        raise UserError(f"{where}: expected an object with the columns of an answer, found {found!r:.60}")
    return where, found


def _table(path: Path) -> Iterator[Row]:
    csv.field_size_limit(sys.maxsize)  # an answer with its thinking is longer than the module's default
    reader = csv.DictReader(io.StringIO(_text(path), newline=""))
    try:
        for row in reader:
            if None in row or None in row.values():
                raise UserError(f"{path}:{reader.line_num}: not as many cells as the header has columns")
            yield f"{path}:{reader.line_num}", row
    except csv.Error as error:
        raise UserError(f"{path}:{reader.line_num}: not CSV: {error}") from None


def _parquet(path: Path) -> Iterator[Row]:
    if importlib.util.find_spec("pyarrow") is None:
        raise UserError(f"{path}: reading Parquet needs pyarrow; install it, or give the rows as JSON lines")
    import pyarrow
    from pyarrow import parquet

    try:
        number = 0
        for batch in parquet.ParquetFile(path).iter_batches():
            for row in batch.to_pylist():
                yield f"{path}[{number}]", row
                number += 1
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(f"{path}: not a Parquet file: {error}") from None


def _lean_files(folder: Path) -> Iterator[Row]:
    files = [file for file in sorted(folder.rglob("*.lean")) if file.name != LAKE]
    if not files:
        raise UserError(f"{folder}: holds no .lean file; answers are {KINDS}")
    for file in files:
        yield str(file), {PROBLEM: file.stem, ANSWER: _text(file)}
