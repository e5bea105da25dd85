"""What a comparison needs of each attempt that was judged: a few numbers and none of the texts.

Of records that a summary was made from, every line was read whole and held against the others then; as long
as the file has that content, these few fields are all that is taken of it, at a quarter of the cost.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from harness.analysis.curves import all_seconds, generated_tokens, search_seconds
from harness.errors import StoreError
from harness.records.folder import RECORDS, SUMMARY
from harness.records.journal import read_json
from harness.records.stamp import Stamp, content_of
from harness.types import Record, Status

MEASURES = ("expansions", "tokens", "seconds")
"""What an attempt spends: nodes expanded, tokens that the generator wrote, seconds of policy, value model and
Lean with the last check. A whole proof's record holds tokens alone."""


class Scored(NamedTuple):
    """One attempt that the machine did not fail."""

    problem: tuple[str, str]
    """Id and revision."""
    sample: int
    """Its number."""
    proved: bool
    spent: tuple[float | None, ...]
    """One of each of `MEASURES`; None where the record does not say."""


def of_records(records: Iterable[Record]) -> Iterator[Scored]:
    """The scored attempts among `records`."""
    for record in records:
        if record.verdict.status is not Status.INFRA:
            search = record.attempt.search
            expanded = None if search is None else float(search.expanded)
            spent = (expanded, generated_tokens(record), search_seconds(record))
            proved = record.verdict.status is Status.PROVED
            yield Scored((record.problem_id, record.revision), record.attempt.index, proved, spent)


def of_folder(folder: Path) -> list[Scored] | None:
    """The scored attempts of a run; None where its records are not those that its summary was made from."""
    stamp = _stamp(folder)
    if stamp is None or content_of(folder / RECORDS) != stamp.sha256:
        return None
    try:
        with (folder / RECORDS).open("rb") as file:
            return [one for line in file if line.endswith(b"\n") and (one := _of_line(line)) is not None]
    except ValueError:  # the file is another one by now; whoever reads it whole says what is wrong
        return None


def _stamp(folder: Path) -> Stamp | None:
    try:
        stored = read_json(folder / SUMMARY)
    except StoreError:
        return None
    return Stamp.stored(stored) if isinstance(stored, dict) else None


def _of_line(line: bytes) -> Scored | None:
    row = _reader().validate_json(line)
    attempt, verdict = row["attempt"], row["verdict"]
    status, search = verdict["status"], attempt["search"]
    if status == Status.INFRA:
        return None
    tokens = float(attempt["usage"]["completion_tokens"]) or None
    spent: tuple[float | None, ...] = (None, tokens, None)
    if search is not None:
        seconds = all_seconds(search["policy_s"], search["lean_s"], search["value_s"], verdict["seconds"])
        spent = (float(search["expanded"]), tokens, seconds)
    return Scored((row["problem_id"], row["revision"]), attempt["index"], status == Status.PROVED, spent)


@functools.cache
def _reader() -> Any:
    """Takes these fields out of a line; nothing is made of the others."""
    from pydantic_core import SchemaValidator, core_schema

    def fields(**given: Any) -> Any:
        return core_schema.typed_dict_schema(
            {name: core_schema.typed_dict_field(schema) for name, schema in given.items()}
        )

    text, whole, number = core_schema.str_schema(), core_schema.int_schema(), core_schema.float_schema()
    search = fields(expanded=whole, policy_s=number, lean_s=number, value_s=number)
    attempt = fields(
        index=whole,
        usage=fields(completion_tokens=whole),
        search=core_schema.nullable_schema(search),
    )
    verdict = fields(status=text, seconds=number)
    return SchemaValidator(fields(problem_id=text, revision=text, attempt=attempt, verdict=verdict))
