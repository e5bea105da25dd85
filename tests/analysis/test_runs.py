"""Reading runs: finding, naming, and figures that always match the records."""

import json
import os
from pathlib import Path

import pytest

from harness.analysis.runs import Budget, budget, find_runs, load_runs, open_run, resolve
from harness.errors import StoreError, UserError
from harness.nested import digest
from harness.records.store import RunStore
from tests.making import record, refs, session, spec


def make(root: Path, name: str, done: int = 2) -> Path:
    with RunStore.create_or_resume(root / name, spec(), refs(2), session()) as store:
        store.append_many([record(f"p{i:03}") for i in range(done)])
        view = open_run(root / name)
        if done == 2:
            import dataclasses

            store.finish(dataclasses.asdict(view.summary))
    return root / name


def test_a_run_reads_back_as_it_was_written(tmp_path: Path) -> None:
    view = open_run(make(tmp_path, "toy.search-aa"))
    assert (view.name, view.benchmark, view.split, view.get("search.alpha")) == (
        "toy.search-aa",
        "toy",
        "test",
        0.5,
    )
    assert view.get("search.nothing") is None and view.get("search.alpha.deeper", 7) == 7
    assert len(view.records) == 2 and view.summary.solved == 2
    assert view.session["command"] == ["harness", "run"] and len(view.denominator) == 2


def test_a_stored_summary_is_used_only_while_it_matches_the_records(tmp_path: Path) -> None:
    folder = make(tmp_path, "r")
    path = folder / "summary.json"
    computed = open_run(folder).summary
    stored = json.loads(path.read_text())
    stored["solved"] = 77
    path.write_text(json.dumps(stored))
    assert open_run(folder).summary == computed, "a figure was edited by hand"
    figures = {key: value for key, value in stored.items() if key != "records"}
    stored["records"]["summary"] = digest(figures)
    path.write_text(json.dumps(stored))
    assert open_run(folder).summary.solved == 77, "read from the file"
    records = folder / "records.jsonl"
    whole = records.read_text()
    records.write_text(whole.replace('"proved"', '"infra" ', 1))
    assert len(records.read_text()) == len(whole)
    assert open_run(folder).summary.solved != 77, "an edit of the same length is noticed"
    records.write_text(whole)
    records.open("a").write("{torn")
    assert open_run(folder).summary == computed, "computed from the records"
    path.write_text(json.dumps({**stored, "schema": -1}))
    assert open_run(folder).summary == computed
    path.unlink()
    assert open_run(folder).summary == computed


def test_figures_are_computed_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make(tmp_path, "r", done=1)
    (run,), _ = load_runs(tmp_path)
    computed = run.summary
    past = (folder / "records.jsonl").stat().st_mtime_ns - 10**9
    os.utime(folder / "records.jsonl", ns=(past, past))

    def unread(*_: object) -> None:
        raise AssertionError("the records are read again")

    monkeypatch.setattr("harness.analysis.runs.each_record", unread)
    (run,), _ = load_runs(tmp_path)
    assert run.summary == computed, "another time, the same content"
    monkeypatch.setattr("harness.records.stamp.content_of", unread)
    (run,), _ = load_runs(tmp_path)
    assert run.summary == computed, "not even hashed again"


def test_figures_that_cannot_be_kept_are_still_told(tmp_path: Path) -> None:
    folder = make(tmp_path, "r", done=1)
    (folder / "summary.json").mkdir()
    (run,), broken = load_runs(tmp_path)
    assert run.summary.solved == 1 and not broken


def test_runs_of_the_same_problems_share_them(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make(tmp_path, name)
    first, second = load_runs(tmp_path)[0]
    assert first.problems is second.problems and first.denominator is second.denominator


def test_a_live_run_can_be_looked_at(tmp_path: Path) -> None:
    with RunStore.create_or_resume(tmp_path / "r", spec(), refs(2), session()) as store:
        assert open_run(tmp_path / "r").summary.missing == 2
        store.append(record("p001"))
        assert open_run(tmp_path / "r").summary.solved == 1


def test_finding_passes_over_stages_and_sweeps(tmp_path: Path) -> None:
    assert find_runs(tmp_path / "absent") == []
    make(tmp_path, "b")
    make(tmp_path, "a")
    (tmp_path / "stages" / "value-1").mkdir(parents=True)
    (tmp_path / "stages" / "value-1" / "spec.json").write_text("{}")
    assert [folder.name for folder in find_runs(tmp_path)] == ["a", "b"]
    assert [run.name for run in load_runs(tmp_path)[0]] == ["a", "b"]


def test_naming_a_run(tmp_path: Path) -> None:
    for name in ("toy.search-aa11", "toy.search-ab22", "toy.whole-cc33"):
        make(tmp_path, name)
    assert resolve(tmp_path, "toy.whole").name == "toy.whole-cc33"
    assert resolve(tmp_path, "cc3").name == "toy.whole-cc33", "a part of it, where no name begins so"
    assert resolve(tmp_path, "toy.search-aa11").name == "toy.search-aa11"
    assert resolve(tmp_path, str(tmp_path / "toy.search-ab22")).name == "toy.search-ab22"
    with pytest.raises(UserError, match=r"names 2 runs: toy\.search-aa11, toy\.search-ab22; write more"):
        resolve(tmp_path, "toy.search")
    with pytest.raises(UserError, match=r"did you mean 'toy\.whole-cc33'"):
        resolve(tmp_path, "toy.whoel-cc33")
    with pytest.raises(UserError, match="holds no runs"):
        resolve(tmp_path / "empty", "x")
    with pytest.raises(UserError, match="no run called"):
        resolve(tmp_path, "a" * 5000)


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"spec\.json: missing"):
        open_run(tmp_path)
    (tmp_path / "spec.json").write_text("{}")
    with pytest.raises(StoreError, match=r"problems\.json: not a list of problems"):
        open_run(tmp_path)


def test_a_file_in_place_of_the_runs_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(UserError, match=r"runs: a file; --runs"):
        load_runs(tmp_path / "runs")


def test_budgets() -> None:
    assert budget(spec()) == Budget(1, 64, 1024)
    whole = spec(
        **{"evaluation.prover": "whole_proof", "evaluation.samples": 8, "whole_proof.max_new_tokens": 128}
    )
    assert budget(whole) == Budget(8, tokens=128) and budget(whole).text == "8 x 128 tokens"
    assert budget(spec()).text == "1 x 64 expansions, 1024 tactic calls"
