"""Attempts without their texts say the same as the whole records, and only of a file that was read whole."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from harness.analysis.runs import open_run, summarize_run
from harness.analysis.scored import of_folder, of_records
from harness.errors import StoreError
from harness.records.folder import RECORDS, SUMMARY
from harness.records.store import RunStore
from tests.making import record, refs, session, spec


def stored(root: Path) -> Path:
    """Proofs, failures, a whole proof, a canary, one that the machine failed for good and one tried again."""
    folder = root / "toy.search-0"
    with RunStore.create_or_resume(folder, spec(**{"evaluation.samples": 2}), refs(4), session()) as store:
        store.append_many([record("p000"), record("p001", "rejected"), record("p002", expanded=None)])
        store.append_many([record("p003", "infra"), record("p000", "infra", 1)])
        timed = record("p003", expanded=9)
        search = dataclasses.replace(timed.attempt.search, policy_s=0.1, lean_s=0.2, value_s=0.7)
        store.append(dataclasses.replace(timed, attempt=dataclasses.replace(timed.attempt, search=search)))
        store.finish(dataclasses.asdict(summarize_run(store.spec, store.problems, store.records)))
    return folder


def test_they_say_what_the_records_say(tmp_path: Path) -> None:
    folder = stored(tmp_path)
    with (folder / RECORDS).open("ab") as file:
        file.write(b'{"benchmark": "toy", "spl')  # what a kill leaves is nobody's record
    run = open_run(folder)
    assert run.summary.missing == 3, "the summary is computed anew, of this file"
    found = of_folder(folder)
    assert found is not None and sorted(found) == sorted(of_records(run.records)) == sorted(run.scored)
    assert [(one.problem[0], one.proved, one.spent) for one in found] == [
        ("p000", True, (3.0, 7.0, 0.5)),
        ("p001", False, (3.0, 7.0, 0.5)),
        ("p002", True, (None, 7.0, None)),
        ("p003", True, (9.0, 7.0, 0.1 + 0.2 + 0.7 + 0.5)),
    ]


def test_a_file_that_was_not_read_whole_is_read_whole(tmp_path: Path) -> None:
    folder = stored(tmp_path)
    text = (folder / RECORDS).read_text()
    (folder / RECORDS).write_text(text.replace('"expanded": 9', '"expanded": 9, "expanded": 1'))
    assert of_folder(folder) is None
    with pytest.raises(StoreError, match="stands twice"):
        _ = open_run(folder).scored
    (folder / RECORDS).write_text(text)
    (folder / SUMMARY).unlink()
    assert of_folder(folder) is None and len(open_run(folder).scored) == 4
    assert of_folder(folder) is not None, "the first reading left a summary"
