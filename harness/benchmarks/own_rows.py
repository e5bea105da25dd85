"""The rows of a benchmark file of our own, JSONL, and the problems that they state."""

from __future__ import annotations

import codecs
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.benchmarks.manifest import Manifest
from harness.errors import SpecError
from harness.nested import nearest
from harness.strict_json import RepeatedKey, distinct
from harness.types import Hole, Problem

Placed = tuple[str, Problem]
"""A problem and the place where it stands: `FILE:LINE`, or a file."""
_ROW_KEYS = {item.name for item in dataclasses.fields(Problem)} - {"benchmark"}
_NEEDED = ("id", "split", "statement", "theorem")
_KINDS: Mapping[str, type] = {"difficulty": int, "holes": list}


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSONL file. Raises `SpecError` naming file and line."""
    return [row for _, row in placed_rows(path)]


def placed_rows(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """(`FILE:LINE`, object) for every line of a JSONL file but empty ones. Raises `SpecError` naming it."""
    rows = []
    try:
        lines = path.read_bytes().removeprefix(codecs.BOM_UTF8).split(b"\n")
    except OSError as cause:
        raise SpecError(f"{path}: cannot be read: {cause.strerror}") from cause
    for number, line in enumerate(lines, start=1):
        if line.strip():
            rows.append((f"{path}:{number}", _object(line, f"{path}:{number}")))
    return rows


def _object(line: bytes, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line.decode("utf-8"), object_pairs_hook=distinct)
        if b"\\u" in line:
            json.dumps(row, ensure_ascii=False).encode("utf-8")  # half a surrogate pair is no text
    except (UnicodeDecodeError, UnicodeEncodeError) as cause:
        raise SpecError(f"{where}: not UTF-8 ({cause.reason}); give a JSONL file in UTF-8") from cause
    except RepeatedKey as cause:
        raise SpecError(f"{where}: {cause}; keep one") from cause
    except (json.JSONDecodeError, RecursionError) as cause:
        raise SpecError(f"{where}: not a JSON object: {cause}") from cause
    if not isinstance(row, dict):
        raise SpecError(f"{where}: expected a JSON object, found {type(row).__name__}")
    return row


def problem_from_row(row: Mapping[str, Any], found: Manifest, where: str) -> Problem:
    """One problem of a data file of our own. Raises `SpecError` on an unknown or missing key."""
    for key in row:
        if key not in _ROW_KEYS:
            raise SpecError(f"{where}: unknown key {key!r}{nearest(str(key), _ROW_KEYS)}")
    for key in _NEEDED:
        if not row.get(key):
            raise SpecError(f"{where}: {key}: missing; every row has {', '.join(_NEEDED)}")
    for key, value in row.items():
        wanted = _KINDS.get(key, str)
        if not isinstance(value, wanted) and not (value is None and key in ("gold", "difficulty")):
            raise SpecError(f"{where}: {key}: expected {wanted.__name__}, found {value!r}")
    values = {"header": found.header, "toolchain": found.toolchain, **row}
    try:
        values["holes"] = tuple(Hole(**hole) for hole in row.get("holes", ()))
    except TypeError as cause:
        raise SpecError(f"{where}: holes: every hole has name, type and answer: {cause}") from cause
    return Problem(benchmark=found.name, **values)
