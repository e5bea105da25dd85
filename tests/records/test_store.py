"""Runs on disk: facts are appended, kept through kills, and never mixed."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.analysis.runs import load_runs, open_run
from harness.errors import StoreError, UserError
from harness.nested import digest as spec_digest
from harness.records.inputs import inputs_digest
from harness.records.store import RunStore
from harness.types import ProblemRef
from tests.making import record, ref, refs, session, spec


def opened(folder: Path, problems: list[ProblemRef] | None = None, **changes: Any) -> RunStore:
    return RunStore.create_or_resume(folder, spec(**changes), problems or refs(3), session())


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    problems = refs(3)
    with opened(tmp_path / "r", problems) as store:
        assert store.owed(2) == [(problem, index) for index in (0, 1) for problem in problems]
        store.append_many([record("p000"), record("p002", "rejected")])
    with opened(tmp_path / "r", problems) as store:
        assert [r.problem_id for r in store.records] == ["p000", "p002"]
        assert [(p.id, i) for p, i in store.owed(2)] == [("p001", 0), ("p000", 1), ("p001", 1), ("p002", 1)]
        assert len(sessions(tmp_path / "r")) == 1, "it has only looked"
        store.append(record("p001"))
    assert len(sessions(tmp_path / "r")) == 2


def sessions(folder: Path) -> list[Any]:
    return list(json.loads((folder / "provenance.json").read_text())["sessions"])


def test_killed_at_every_byte_of_the_last_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the write was cut, the resumed run ends with the records of an uninterrupted one."""
    monkeypatch.setattr(os, "fsync", lambda fd: None)  # hundreds of resumptions; nobody pulls the plug here
    given = [record("p000"), record("p001", "timeout"), record("p002", proof="exact ⟨h, «x»⟩")]
    with opened(tmp_path / "whole") as store:
        store.append_many(given)
        whole = (tmp_path / "whole" / "records.jsonl").read_bytes()
    two = len(b"".join(whole.splitlines(keepends=True)[:2]))
    folder = tmp_path / "cut"
    opened(folder).close()
    for cut in range(two, len(whole) + 1):
        (folder / "records.jsonl").write_bytes(whole[:cut])
        with opened(folder) as store:
            assert store.records[:2] == given[:2]
            owed = {problem.id for problem, _ in store.owed(1)}
            store.append_many([one for one in given if one.problem_id in owed])
        assert (folder / "records.jsonl").read_bytes() == whole


def test_a_changed_spec_is_refused_by_name_and_nothing_touched(tmp_path: Path) -> None:
    with opened(tmp_path / "r") as store:
        store.append(record("p000"))
    before = (tmp_path / "r" / "records.jsonl").read_bytes()
    with pytest.raises(StoreError, match=r"changed since this run began: lean\.level, search\.alpha; give"):
        opened(tmp_path / "r", **{"search.alpha": 0.7, "lean.level": "fast"})
    with pytest.raises(StoreError, match="not the problems that this run began with"):
        opened(tmp_path / "r", refs(4))
    assert (tmp_path / "r" / "records.jsonl").read_bytes() == before
    opened(tmp_path / "r").close()


def test_tuples_in_a_spec_are_lists_when_it_comes_back(tmp_path: Path) -> None:
    opened(tmp_path / "r", **{"evaluation.k": (1,)}).close()
    opened(tmp_path / "r", **{"evaluation.k": (1,)}).close()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda row: row | {"attempt": {}}, "no 'usage'"),
        (lambda row: row | {"verdict": row["verdict"] | {"status": "maybe"}}, "maybe"),
        (
            lambda row: row | {"problem_id": "stranger"},
            "stranger at revision .* is none of this run's problems",
        ),
        (lambda row: row | {"attempt": row["attempt"] | {"surprise": 1}}, "surprise"),
        (lambda row: row | {"attempt": row["attempt"] | {"index": "0"}}, "index: '0' is no int"),
        (lambda row: row | {"attempt": row["attempt"] | {"index": False}}, "index: False is no int"),
        (lambda row: row | {"attempt": row["attempt"] | {"index": 0.0}}, "index: 0.0 is no int"),
        (lambda row: row | {"attempt": row["attempt"] | {"index": -1}}, "is -1, below 0"),
        (
            lambda row: row | {"attempt": row["attempt"] | {"usage": {"completion_tokens": -7}}},
            "is -7, below 0",
        ),
        (
            lambda row: row | {"attempt": row["attempt"] | {"index": 7}},
            "sample 7 of p001, but this run makes",
        ),
        (lambda row: row | {"attempt": row["attempt"] | {"proof": ["x"]}}, "no NoneType or str"),
        (
            lambda row: row | {"attempt": row["attempt"] | {"search": {"expanded": 1.5}}},
            "expanded: 1.5",
        ),
        (
            lambda row: row | {"attempt": row["attempt"] | {"search": []}},
            r"\[\] is no object",
        ),
        (
            lambda row: row | {"attempt": row["attempt"] | {"usage": True}},
            "True is no object",
        ),
        (lambda row: row | {"attempt": row["attempt"] | {"seed": "TWICE"}}, "key 'seed' stands twice"),
        (lambda row: row | {"attempt": row["attempt"] | {"logprob": "VAST"}}, "1e999 is no JSON number"),
        (lambda row: row | {"attempt": row["attempt"] | {"logprob": "LONG"}}, "9 is no JSON number"),
        (lambda row: row | {"verdict": row["verdict"] | {"seconds": "1"}}, "seconds: '1' is no float or int"),
        (lambda row: row | {"verdict": row["verdict"] | {"seconds": float("nan")}}, "NaN is no JSON number"),
        (lambda row: row | {"verdict": row["verdict"] | {"axioms": "propext"}}, "axioms"),
        (lambda row: row | {"verdict": row["verdict"] | {"axioms": 3}}, "axioms: not a list"),
        (lambda row: row | {"verdict": None}, "not iterable"),
        (lambda row: row | {"split": None}, "split: None is no str"),
        (lambda row: row | {"split": "NESTED"}, "nested too deeply"),
    ],
)
def test_a_corrupt_record_is_named_and_the_file_kept(tmp_path: Path, spoil: Any, said: str) -> None:
    with opened(tmp_path / "r") as store:
        store.append_many([record("p000"), record("p001"), record("p002")])
    path = tmp_path / "r" / "records.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    lines[1] = json.dumps(spoil(json.loads(lines[1]))).replace('"NESTED"', "[" * 100_000) + "\n"
    lines[1] = lines[1].replace('"VAST"', "1e999").replace('"LONG"', "-" + "9" * 400 + ".9")
    lines[1] = lines[1].replace('"TWICE"', '1, "seed": 2')
    path.write_text("".join(lines))
    with pytest.raises(StoreError, match=rf"records\.jsonl:2: .*{said}.*delete that line"):
        opened(tmp_path / "r")
    assert path.read_text() == "".join(lines)
    path.write_text("".join(lines[:1] + lines[2:]))
    with opened(tmp_path / "r") as store:
        assert [problem.id for problem, _ in store.owed(1)] == ["p001"]


@pytest.mark.parametrize(
    "text",
    ["[]", "", "{", '{"sessions": {}}', '{"sessions": [1]}', '{"sessions": [{"code": "x"}]}', "[" * 100_000],
)
def test_a_broken_provenance_is_told_with_a_way_out(tmp_path: Path, text: str) -> None:
    with opened(tmp_path / "r") as store:
        store.append(record("p000"))
    path = tmp_path / "r" / "provenance.json"
    path.write_text(text)
    told = r"provenance\.json: .*delete it"
    with pytest.raises(StoreError, match=told):
        open_run(tmp_path / "r")
    with opened(tmp_path / "r") as store, pytest.raises(StoreError, match=told):
        store.append(record("p001"))
    with opened(tmp_path / "r") as store:
        assert [one.problem_id for one in store.records] == ["p000"], "nothing was appended"
    path.unlink()
    assert open_run(tmp_path / "r").sessions == []


@pytest.mark.parametrize("text", ["[]", "", "{}", "3", '[{"id": 1, "revision": "r"}]', '[{"id": "p000"}]'])
def test_broken_problems_are_told_and_written_again_by_the_same_command(tmp_path: Path, text: str) -> None:
    with opened(tmp_path / "r") as store:
        store.append(record("p000"))
    path = tmp_path / "r" / "problems.json"
    whole = path.read_text()
    path.write_text(text)
    with pytest.raises(StoreError, match=r"problems\.json: .*(the command that made the run|not JSON)"):
        open_run(tmp_path / "r")
    opened(tmp_path / "r").close()
    assert path.read_text() == whole


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"schema": 2, "records": 1}', "NaN"])
def test_a_damaged_summary_is_computed_again(tmp_path: Path, text: str) -> None:
    with opened(tmp_path / "r") as store:
        store.append(record("p000"))
    (tmp_path / "r" / "summary.json").write_text(text)
    assert open_run(tmp_path / "r").summary.solved == 1


@pytest.mark.parametrize(
    "evaluation", [{"samples": "2"}, {"samples": 0}, {"k": "x"}, {"k": 1}, {"k": [True]}]
)
def test_a_spec_whose_counts_are_none_is_a_broken_run(tmp_path: Path, evaluation: dict[str, Any]) -> None:
    opened(tmp_path / "r").close()
    path = tmp_path / "r" / "spec.json"
    path.write_text(json.dumps({"evaluation": evaluation}))
    runs, broken = load_runs(tmp_path)
    assert runs == [] and len(broken) == 1 and "spec.json: evaluation.samples and evaluation.k" in broken[0]


def test_records_without_a_spec_are_a_broken_run_and_not_no_run(tmp_path: Path) -> None:
    with opened(tmp_path / "r") as store:
        store.append(record("p000"))
    (tmp_path / "r" / "spec.json").unlink()
    runs, broken = load_runs(tmp_path)
    assert runs == [] and len(broken) == 1 and "spec.json: missing" in broken[0]


def test_drafts_of_killed_processes_are_swept(tmp_path: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True
    )
    opened(tmp_path / "r").close()
    mine, dead = f".summary.json.{os.getpid()}", f".summary.json.{child.stdout.strip()}"
    for name in (mine, dead, ".summary.json.notes"):
        (tmp_path / "r" / name).write_text("{")
    with opened(tmp_path / "r") as store:
        store.finish({})
    assert sorted(path.name for path in (tmp_path / "r").glob(".summary*")) == [".summary.json.notes"]


def test_a_second_record_of_an_attempt_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "r") as store:
        store.append(record("p000"))
        with pytest.raises(StoreError, match="second record of p000, sample 0"):
            store.append(record("p000", "rejected"))
        with pytest.raises(StoreError, match="second record of p001"):
            store.append_many([record("p001"), record("p001")])
        with pytest.raises(StoreError, match="none of this run's problems"):
            store.append(record("q"))
        assert len(store.records) == 1
    path = tmp_path / "r" / "records.jsonl"
    assert path.read_text().count("\n") == 1
    path.write_text(path.read_text() * 2)
    with pytest.raises(StoreError, match=r"records\.jsonl:2: a second record of p000"):
        opened(tmp_path / "r")


def test_what_the_machine_failed_can_be_tried_again(tmp_path: Path) -> None:
    with opened(tmp_path / "r") as store:
        store.append_many([record("p000", "infra"), record("p001"), record("p002", "rejected")])
        assert store.owed(1) == []
        assert [problem.id for problem, _ in store.owed(1, retry_unscored=True)] == ["p000"]
        store.append(record("p000"))
    with opened(tmp_path / "r") as store:
        assert {r.problem_id: str(r.verdict.status) for r in store.records} == {
            "p000": "proved",
            "p001": "proved",
            "p002": "rejected",
        }


def test_two_processes_cannot_fill_one_run(tmp_path: Path) -> None:
    store = opened(tmp_path / "r")
    with pytest.raises(StoreError, match="another process"):
        opened(tmp_path / "r")
    store.close()
    store.close()
    opened(tmp_path / "r").close()


def test_empty_and_repeated_problem_sets_are_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no problems"):
        RunStore.create_or_resume(tmp_path / "r", spec(), [], session())
    with pytest.raises(UserError, match="'a' stands twice"):
        RunStore.create_or_resume(tmp_path / "r", spec(), [ref("a"), ref("a")], session())
    assert not (tmp_path / "r").exists()


def test_a_run_killed_while_it_is_made_can_be_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    opened(folder).close()
    (folder / "spec.json").unlink()
    (folder / "records.jsonl").unlink()
    opened(folder).close()
    (folder / "spec.json").unlink()
    with pytest.raises(StoreError, match=r"spec\.json: missing beside records"):
        opened(folder)


def test_the_folder_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be created"):
        opened(tmp_path / "file" / "r")


def test_finishing_stamps_summary_and_session(tmp_path: Path) -> None:
    with opened(tmp_path / "r") as store:
        store.append(record("p000"))
        store.finish({"solved": 1})
    digest = hashlib.sha256((tmp_path / "r" / "records.jsonl").read_bytes()).hexdigest()
    summary = json.loads((tmp_path / "r" / "summary.json").read_text())
    own = spec_digest({"solved": 1})
    size = (tmp_path / "r" / "records.jsonl").stat().st_size
    # Written a moment ago: its time would not tell an edit in the same tick of the clock.
    stamp = {"sha256": digest, "size": size, "mtime_ns": 0, "inputs": inputs_digest(spec())}
    assert summary == {"solved": 1, "records": {"lines": 1, **stamp, "summary": own}}
    sessions = json.loads((tmp_path / "r" / "provenance.json").read_text())["sessions"]
    assert sessions[0]["finished_at"].endswith("Z")


WRITER = """
import sys
from pathlib import Path
from harness.records.store import RunStore
from tests.making import record, refs, session, spec
with RunStore.create_or_resume(Path(sys.argv[1]), spec(), refs(900), session()) as store:
    for problem, _ in store.owed(1):
        store.append(record(problem.id))
        print(problem.id, flush=True)
"""


def test_a_killed_process_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    top = Path(__file__).parents[2]
    acknowledged: list[str] = []
    for _ in range(2):
        command = [sys.executable, "-c", WRITER, str(tmp_path / "r")]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=top)
        assert child.stdout is not None
        for _ in range(15):
            acknowledged.append(child.stdout.readline().strip())
        child.kill()
        acknowledged += child.stdout.read().split()
        child.wait()
        child.stdout.close()
    with RunStore.create_or_resume(tmp_path / "r", spec(), refs(900), session()) as store:
        kept = [one.problem_id for one in store.records]
    assert len(acknowledged) == len(set(acknowledged)) >= 30
    assert set(acknowledged) <= set(kept) and len(kept) == len(set(kept))


def test_other_k_are_asked_of_the_same_records(tmp_path: Path) -> None:
    many = {"evaluation.samples": 8}
    with opened(tmp_path / "r", **many, **{"evaluation.k": [1, 4]}) as store:
        store.append(record("p000"))
    with opened(tmp_path / "r", **many, **{"evaluation.k": [1, 8]}) as store:
        assert len(store.records) == 1 and store.spec["evaluation"]["k"] == [1, 4, 8]
    assert json.loads((tmp_path / "r" / "spec.json").read_text())["evaluation"]["k"] == [1, 4, 8]
    with pytest.raises(StoreError, match=r"changed since this run began: evaluation\.k, search\.alpha"):
        opened(tmp_path / "r", **many, **{"evaluation.k": [2], "search.alpha": 0.1})


def two_machines(tmp_path: Path) -> tuple[Path, Path]:
    """Two finished runs of one spec whose models came out with other weights, in folders of the same name."""
    made = []
    for machine, weights in (("one", "aaaaaaaaaaaa"), ("two", "bbbbbbbbbbbb")):
        made.append(tmp_path / machine / "r")
        with opened(made[-1], **{"generator.weights": weights}) as store:
            store.append_many(
                [record(f"p{i:03}", "proved" if machine == "one" else "rejected") for i in range(3)]
            )
        _ = open_run(made[-1]).summary
    return made[0], made[1]


@pytest.mark.parametrize("copied", [("spec.json",), ("records.jsonl",), ("records.jsonl", "summary.json")])
def test_runs_of_two_machines_that_were_copied_over_each_other_are_not_read(
    tmp_path: Path, copied: tuple[str, ...]
) -> None:
    """As `cp -u` or `rsync -u` leave them: of each file the newer one."""
    one, two = two_machines(tmp_path)
    for name in copied:
        (one / name).write_bytes((two / name).read_bytes())
    told = (
        r"records\.jsonl:1: made with other settings or weights than spec\.json says \(runs of two machines"
    )
    with pytest.raises(StoreError, match=told):
        _ = open_run(one).summary
    runs, broken = load_runs(one.parent)
    assert not runs and "two machines" in broken[0]
    stored = json.loads((one / "spec.json").read_text())["generator"]["weights"]
    with pytest.raises(StoreError, match="two machines"):
        opened(one, **{"generator.weights": stored})


def test_a_run_that_was_copied_over_another_as_a_whole_is_that_run(tmp_path: Path) -> None:
    one, two = two_machines(tmp_path)
    for path in two.iterdir():
        if path.is_file():
            (one / path.name).write_bytes(path.read_bytes())
    assert open_run(one).summary == open_run(two).summary


def test_records_from_before_lines_said_what_they_depend_on_are_read(tmp_path: Path) -> None:
    one, _ = two_machines(tmp_path)
    rows = [json.loads(line) for line in (one / "records.jsonl").read_text().splitlines()]
    for row in rows:
        del row["inputs"]
    (one / "records.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert open_run(one).summary.solved == 3
