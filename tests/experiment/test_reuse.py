"""What need not be made again: complete runs are only read, growing runs take over what is the same."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import pytest

from harness.analysis.runs import open_run
from harness.experiment.reuse import adopt, complete_run
from harness.records.inputs import inputs_digest
from harness.records.store import RunStore
from harness.types import ProblemRef
from tests.making import record, ref, refs, session, spec


def stored(folder: Path, problems: list[ProblemRef], samples: int = 1, **changes: Any) -> RunStore:
    changes = {"evaluation.samples": samples, **changes}
    return RunStore.create_or_resume(folder, spec(**changes), problems, session(commit=folder.name))


def filled(folder: Path, problems: list[ProblemRef], samples: int = 1, **changes: Any) -> None:
    with stored(folder, problems, samples, **changes) as store:
        store.append_many([record(p.id, index=i) for p in problems for i in range(samples)])
        store.finish({})


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"experiment": "other"}, True),
        ({"evaluation.name": "other"}, True),
        ({"evaluation.samples": 4, "evaluation.k": [1, 4]}, True),
        ({"evaluation.problems.limit": 9}, True),
        ({"runtime": {"canaries": 4}}, False),
        ({"evaluation.prover": "whole_proof"}, False),
        ({"search.alpha": 0.4}, False),
        ({"lean.level": "fast"}, False),
        ({"seed": 1}, False),
        ({"generator": {"digest": "x"}}, False),
        ({"something_new": 1}, False),
    ],
)
def test_what_a_record_depends_on(change: dict[str, Any], same: bool) -> None:
    assert (inputs_digest(spec(**change)) == inputs_digest(spec())) is same


def test_canaries_are_no_input_of_other_records() -> None:
    assert inputs_digest(spec(**{"runtime.canaries": 4, "runtime.threads": 2})) == inputs_digest(
        spec(**{"runtime.canaries": 0, "runtime.threads": 2})
    )


def test_a_run_that_grows_takes_over_what_is_the_same(tmp_path: Path) -> None:
    filled(tmp_path / "a", refs(3), samples=2)
    filled(tmp_path / "b", refs(3), samples=2, **{"search.alpha": 0.1})
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "spec.json").write_text("{")
    with stored(tmp_path / "c", refs(4), samples=3, **{"evaluation.name": "more"}) as store:
        store.append(record("p001", index=1))
        taken = adopt(store, tmp_path, 3)
        assert {name: len(found) for name, found in taken.items()} == {"a": 5}
        assert len(store.owed(3)) == 12 - 6
        assert adopt(store, tmp_path, 3) == {}
    sessions = json.loads((tmp_path / "c" / "provenance.json").read_text())["sessions"]
    assert [(item["code"]["commit"], item.get("of_run")) for item in sessions] == [("a", "a"), ("c", None)]


def test_neither_failures_of_the_machine_nor_canaries_nor_other_problems_are_taken(tmp_path: Path) -> None:
    problems = [ref("p000"), ref("p001"), ref("c", canary=True)]
    with stored(tmp_path / "a", problems) as store:
        store.append_many([record("p000", "infra"), record("p001"), record("c")])
    rows = (tmp_path / "a" / "records.jsonl").read_text().splitlines()
    rows[2] = json.dumps({**json.loads(rows[2]), "benchmark": "canary"})
    (tmp_path / "a" / "records.jsonl").write_text("\n".join(rows) + "\n")
    changed = ProblemRef("p001", "another revision")
    with stored(tmp_path / "b", [ref("p000"), changed, ref("c", canary=True), ref("new")]) as store:
        assert adopt(store, tmp_path, 1) == {}
    with stored(tmp_path / "d", [*problems, ref("new")]) as store:
        [taken] = adopt(store, tmp_path, 1).values()
        assert [item.problem_id for item in taken] == ["p001"]


def test_a_complete_run_is_only_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problems = refs(3)
    with stored(tmp_path / "a", problems) as store:
        store.append_many([record(p.id) for p in problems])
    wanted = spec(**{"evaluation.samples": 1, "evaluation.k": (1,)})
    assert complete_run(tmp_path / "a", wanted, problems) is None, "its figures are not written"
    with stored(tmp_path / "a", problems) as store:
        store.finish(dataclasses.asdict(open_run(tmp_path / "a").summary))
    before = {path.name for path in (tmp_path / "a").rglob("*")}
    opened = os.open

    def read_only(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(30, "Read-only file system")
        return opened(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", read_only)
    view = complete_run(tmp_path / "a", wanted, problems)
    assert view is not None and view.summary.solved == 3
    assert {path.name for path in (tmp_path / "a").rglob("*")} == before
    assert complete_run(tmp_path / "a", spec(seed=1), problems) is None
    assert complete_run(tmp_path / "a", spec(**{"evaluation.k": [1, 2]}), problems) is None
    assert complete_run(tmp_path / "a", wanted, refs(4)) is None
    assert complete_run(tmp_path / "nowhere", wanted, problems) is None
