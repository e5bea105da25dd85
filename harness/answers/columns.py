"""Which column of somebody else's file means what. Pure.

Published result files have names of their own for the same things (DeepSeek-Prover, Goedel-Prover, Kimina-
Prover, what verifiers write); those known are tried in order, `--column` says what is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.answers.files import Row
from harness.errors import UserError
from harness.nested import nearest

KNOWN: Mapping[str, str] = {
    "problem": "problem origin_problem_id problem_id problem_name theorem_name full_name name theorem id",
    "answer": "answer proof formal_proof full_proof correct_proof full_code code proof_code lean_code "
    "lean_proof solution model_output model_outputs completion completions response output outputs "
    "generated_text generation text lean4_code",
    "sample": "sample sample_index sample_id attempt",
    "completion_tokens": "completion_tokens output_tokens num_tokens n_tokens tokens usage.completion_tokens",
    "prompt_tokens": "prompt_tokens input_tokens usage.prompt_tokens",
    "finish": "finish_reason stop_reason",
    "model": "model model_name",
    "claimed": "claimed complete is_valid verified proved passed success compilation_result.complete "
    "result.complete",
}
"""What is looked for, and the columns that it may stand in, the likeliest first."""
NEEDED = ("answer",)
NONE = "-"
"""Told as a column: this file has none."""
CUT = ("length", "max_tokens")
"""What servers call a completion that ended at its token limit."""
_CLAIMS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class StatedAnswer:
    """One answer, as its row states it."""

    where: str
    problem: str | None
    """None where no column names problems: then the theorem that the answer states tells."""
    text: str
    """Empty where the row holds none: an attempt that brought nothing."""
    sample: int | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    truncated: bool = False
    model: str = ""
    claimed: bool | None = None
    """What the file says became of it; compared with the verdict, never used for it."""


def chosen(first: Mapping[str, Any], told: Mapping[str, str], path: object) -> dict[str, str]:
    """The column of this file for each meaning, of `told` or known; those that it has not are left out.

    `first` is a row of it. Raises `UserError` for a column told that is not there, and without answers.
    """
    for meaning, column in told.items():
        if meaning not in KNOWN:
            raise UserError(f"--column {meaning}={column}: no such meaning{nearest(meaning, KNOWN)}")
        if column != NONE and not _has(first, column):
            raise UserError(f"--column {meaning}={column}: {path} has none{nearest(column, map(str, first))}")
    found = dict(told)
    for meaning, names in KNOWN.items():
        column = next((name for name in names.split() if _has(first, name)), NONE)
        found.setdefault(meaning, column)
    found = {meaning: column for meaning, column in found.items() if column != NONE}
    for meaning in NEEDED:
        if meaning not in found:
            raise UserError(
                f"{path}: no column is known to hold the {meaning}; say which with --column {meaning}=NAME; "
                f"there are: {', '.join(map(str, first))}"
            )
    return found


def answers(rows: Iterable[Row], columns: Mapping[str, str]) -> Iterator[StatedAnswer]:
    """The answers of `rows`; a list of answers in one row is as many samples, and what stands in lists of
    that length is said of them one by one. Raises `UserError`."""
    for where, row in rows:
        cells = {meaning: _cell(row, column, where, meaning) for meaning, column in columns.items()}
        given = cells.pop("answer")
        if not isinstance(given, list):
            yield _answer(where, columns, {**cells, "answer": given})
            continue
        if cells.get("sample") is not None:
            raise UserError(f"{where}: {columns['answer']}: a list of answers, and yet a sample number")
        for place, text in enumerate(given):
            # What stands once beside a list of answers is said of none of them alone.
            single: dict[str, Any] = {key: cells[key] for key in ("problem", "model") if key in cells}
            each: dict[str, Any] = {
                key: value[place]
                for key, value in cells.items()
                if isinstance(value, list) and len(value) == len(given)
            }
            yield _answer(where, columns, {**each, **single, "answer": text})


def _answer(where: str, columns: Mapping[str, str], cells: Mapping[str, Any]) -> StatedAnswer:
    def wrong(meaning: str, expected: str) -> UserError:
        return UserError(f"{where}: {columns[meaning]}: expected {expected}, found {cells[meaning]!r:.60}")

    text, problem = cells["answer"], cells.get("problem")
    if not isinstance(text, str | None):
        raise wrong("answer", "text")
    if "problem" in columns and (not isinstance(problem, str | int) or problem == ""):
        raise wrong("problem", "the name of a problem")
    numbers = {}
    for meaning in ("sample", "prompt_tokens", "completion_tokens"):
        value = numbers[meaning] = _whole(cells.get(meaning))
        if value is None and (cells.get(meaning) is not None or (meaning == "sample" and meaning in cells)):
            raise wrong(meaning, "a whole number")
    return StatedAnswer(
        where,
        None if problem is None else str(problem),
        text or "",
        numbers["sample"],
        numbers["prompt_tokens"] or 0,
        numbers["completion_tokens"] or 0,
        str(cells.get("finish")).lower() in CUT,
        str(cells.get("model") or ""),
        _CLAIMS.get(str(cells.get("claimed")).strip().lower()),
    )


def _whole(value: object) -> int | None:
    """A count in whatever form tables hold one; None for anything else."""
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value >= 0 and value == int(value) else None


def _has(row: Mapping[str, Any], column: str) -> bool:
    inner, _, rest = column.partition(".")
    if column in row or not rest:
        return column in row
    return isinstance(row.get(inner), Mapping) and _has(row[inner], rest)


def _cell(row: Mapping[str, Any], column: str, where: str, meaning: str) -> Any:
    if _has(row, column):
        inner, _, rest = column.partition(".")
        return row[column] if column in row else _cell(row[inner], rest, where, meaning)
    if meaning in ("problem", "answer", "sample"):
        raise UserError(f"{where}: {column}: missing; every row has its {meaning}")
    return None
