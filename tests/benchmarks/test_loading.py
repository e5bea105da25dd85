"""Manifests and loading: what is stated is checked, and a mismatch is never a smaller set."""

import dataclasses
import json
import random
from collections import Counter
from pathlib import Path

import pytest

from harness import paths
from harness.benchmarks import loading, manifest, own_rows
from harness.errors import SpecError
from harness.types import Problem

ROWS = [
    {"id": "one", "split": "train", "theorem": "one", "statement": "theorem one : True", "gold": "trivial"},
    {"id": "two", "split": "test", "theorem": "two", "statement": "theorem two (p : Prop) (h : p) : p"},
    {"id": "three", "split": "test", "theorem": "three", "statement": "theorem three : 1 = 1"},
]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """An empty `datasets` folder that takes the place of the project's own."""
    monkeypatch.setattr(manifest, "data_folder", lambda name: tmp_path)
    return tmp_path


def write(folder: Path, rows=ROWS, **changes) -> None:
    """A benchmark `tiny`, its manifest stamped from `rows` and then altered by `changes`."""
    data = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "tiny.jsonl").write_text(data)
    import hashlib

    import yaml

    problems = [
        Problem(benchmark="tiny", header="import Mathlib\n\n", toolchain="core", **row)
        for row in rows
        if {"id", "split", "theorem", "statement"} <= row.keys() and not {"proof", "holes"} & row.keys()
    ]
    stated = {
        "name": "tiny",
        "title": "Three tiny theorems",
        "licence": "Apache-2.0",
        "toolchain": "core",
        "splits": dict(Counter(row["split"] for row in rows)),
        "default_split": "test",
        "header": "import Mathlib\n\n",
        "data": "tiny.jsonl",
        "sha256": hashlib.sha256(data.encode()).hexdigest(),
        "revision": loading.revision_of(problems),
    }
    stated.update(changes)
    (folder / "tiny.yaml").write_text(yaml.safe_dump({k: v for k, v in stated.items() if v is not None}))


def refused(*arguments, **settings) -> str:
    with pytest.raises(SpecError) as caught:
        loading.load(*arguments, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_splits_are_chosen_by_name_and_the_manifest_has_a_default(folder):
    write(folder)
    assert [p.id for p in loading.load("tiny")] == ["two", "three"]
    assert [p.id for p in loading.load("tiny", "train")] == ["one"]
    assert [p.id for p in loading.load("tiny", "all")] == ["one", "two", "three"]
    first = loading.load("tiny", "train")[0]
    assert first.source == "import Mathlib\n\ntheorem one : True := by sorry"
    assert (first.toolchain, first.gold, first.benchmark) == ("core", "trivial", "tiny")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sha256": "0" * 64}, ["tiny.yaml", "sha256"]),
        ({"revision": "0" * 16}, ["tiny.yaml", "revision"]),
        ({"splits": {"train": 1, "test": 3}}, ["tiny.yaml", "splits", "'test': 2"]),
        ({"licence": None}, ["tiny.yaml", "licence: missing"]),
        ({"licens": "MIT"}, ["tiny.yaml", "unknown key 'licens'", "did you mean 'licence'"]),
        ({"splits": {"train": "one"}}, ["tiny.yaml", "splits: train", "expected a number"]),
        ({"name": "other"}, ["name", "'other'", "'tiny'"]),
        ({"purpose": "evaluate"}, ["purpose", "did you mean 'evaluation'"]),
        ({"data": "tiny2.jsonl"}, ["tiny2.jsonl does not exist"]),
        ({"default_split": "tests"}, ["no split 'tests'", "did you mean 'test'"]),
        ({"source": {"git": "x"}}, ["exactly one of data", "source"]),
    ],
)
def test_a_wrong_manifest_is_named_with_its_key(folder, changes, words):
    write(folder, **changes)
    message = refused("tiny")
    assert all(word in message for word in words), message


def test_repeated_ids_and_repeated_statements_are_refused(folder):
    write(folder, [*ROWS, {**ROWS[2], "statement": "theorem three : 2 = 2"}])
    assert "'three' stands twice" in refused("tiny")
    again = {"id": "four", "split": "train", "theorem": "four", "statement": "theorem four :  1 = 1"}
    write(folder, [*ROWS, again])
    assert "state the same theorem" in refused("tiny")
    write(folder, [*ROWS, again], same_statement=[["three", "four"]])
    assert len(loading.load("tiny", "all")) == 4


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"id": "x", "split": "test", "theorem": "x"}, ["tiny.jsonl:1", "statement: missing"]),
        ({**ROWS[1], "proof": "trivial"}, ["tiny.jsonl:1", "unknown key 'proof'"]),
        ({**ROWS[1], "gold": 3}, ["tiny.jsonl:1: gold: expected str, found 3"]),
        ({**ROWS[1], "holes": [{"name": "x"}]}, ["tiny.jsonl:1: holes: every hole has name, type"]),
    ],
)
def test_a_wrong_row_is_named_with_file_and_line(folder, row, words):
    write(folder, [row])
    message = refused("tiny")
    assert all(word in message for word in words), message


def test_a_line_that_is_no_json_is_named(folder):
    write(folder)
    text = (folder / "tiny.jsonl").read_text() + "{oops\n"
    (folder / "tiny.jsonl").write_text(text)
    import hashlib

    manifest_text = (folder / "tiny.yaml").read_text()
    old = next(line for line in manifest_text.splitlines() if line.startswith("sha256"))
    new = f"sha256: {hashlib.sha256(text.encode()).hexdigest()}"
    (folder / "tiny.yaml").write_text(manifest_text.replace(old, new))
    assert "tiny.jsonl:4: not a JSON object" in refused("tiny")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"id": "\x89"}', "not UTF-8 (invalid start byte)"),
        (b'{"id": "\\ud800"}', "not UTF-8 (surrogates not allowed)"),
        (b"[" * 100_000, "not a JSON object: maximum recursion depth"),
        (b"[1]", "expected a JSON object, found list"),
    ],
)
def test_lines_that_cannot_be_read_are_named(tmp_path, line, words):
    (tmp_path / "rows.jsonl").write_bytes(b'{"id": "\\u00e9"}\r\n\n' + line)
    with pytest.raises(SpecError) as caught:
        own_rows.read_rows(tmp_path / "rows.jsonl")
    assert f"rows.jsonl:3: {words}" in str(caught.value)


def test_unknown_benchmark_and_split_name_the_nearest(folder):
    write(folder)
    assert "did you mean 'tiny'" in refused("tinny")
    assert "did you mean 'train'" in refused("tiny", "trane")
    assert "no benchmark '../tiny'" in refused("../tiny")


def test_your_own_manifests_are_found_beside_the_projects(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_BENCHMARKS", str(tmp_path / "absent"))
    assert "HARNESS_BENCHMARKS: " in refused("smoke") and "no such folder" in refused("smoke")
    monkeypatch.delenv("HARNESS_BENCHMARKS")
    assert "set HARNESS_BENCHMARKS" in refused("tiny")
    write(tmp_path)
    monkeypatch.setenv("HARNESS_BENCHMARKS", str(tmp_path))
    assert {"tiny", "smoke"} <= set(manifest.names())
    assert [p.id for p in loading.load("tiny")] == ["two", "three"] and loading.load("smoke")
    (tmp_path / "smoke.yaml").write_text("name: smoke")
    assert "smoke.yaml: name: 'smoke' is a benchmark of the project" in refused("smoke")
    monkeypatch.setenv("HARNESS_BENCHMARKS", str(paths.data_folder("datasets")))
    assert loading.load("smoke")


def test_a_manifest_that_is_no_text_is_named(folder):
    (folder / "tiny.yaml").write_bytes(b"name: \xff\xfe")
    assert "tiny.yaml: not UTF-8 text: invalid start byte" in refused("tiny")
    write(folder, same_statement=["one", "two"])
    assert "tiny.yaml: same_statement: expected a list of groups" in refused("tiny")


def test_a_sample_depends_on_the_seed_and_not_on_the_order_of_the_file():
    problems = [Problem(str(i), "b", "test", "", f"theorem t{i} : {i} = {i}", f"t{i}") for i in range(200)]
    shuffled = random.Random(5).sample(problems, 200)
    ten = loading.sample(problems, 10, seed=1)
    assert ten == loading.sample(shuffled, 10, seed=1)
    assert ten == loading.sample(problems, 50, seed=1)[:10]
    assert ten != loading.sample(problems, 10, seed=2)
    assert len({p.id for p in loading.sample(problems, 999, seed=1)}) == 200
    with pytest.raises(SpecError, match="limit: 0"):
        loading.sample(problems, 0, seed=1)


def test_every_manifest_of_the_project_parses_and_its_defects_name_known_problems():
    assert {"smoke", "core-curriculum", "minif2f", "putnambench"} <= set(manifest.names())
    for name in manifest.names():
        found = manifest.manifest(name)
        for defect in loading.defective(name).values():
            assert defect.kind in ("refutable", "vacuous", "trivial", "misformalised") and defect.reason
            assert not found.splits or defect.split in found.splits
        if found.statements:
            lines = (found.path.parent / found.statements).read_text().splitlines()
            known = {line.split()[0] for line in lines}
            assert len(known) == found.total
            assert {f"{d.split}/{d.id}" for d in loading.defective(name).values()} <= known


def test_the_smoke_set_covers_its_five_fields_and_has_a_proof_for_each():
    problems = loading.load("smoke")
    assert len(problems) >= 52 and all(p.gold for p in problems)
    assert set(Counter(p.category for p in problems)) == {"logic", "quantifiers", "equality", "nat", "list"}


def test_models_of_the_curriculum_can_be_measured_on_the_smoke_set():
    trained = {loading.statement_key(problem) for problem in loading.load("core-curriculum", "train")}
    assert [p.id for p in loading.load("smoke", "test") if loading.statement_key(p) in trained] == []


def test_no_statement_of_the_curriculum_is_in_two_splits():
    problems = loading.load("core-curriculum", "all")
    assert len(problems) >= 2000 and len({loading.statement_key(p) for p in problems}) == len(problems)
    assert Counter(p.split for p in problems)["test"] >= 240
    assert all(p.gold and p.difficulty and p.difficulty >= 1 for p in problems)


def test_the_data_folder_is_the_checkouts_or_the_one_shipped_inside_the_package(tmp_path, monkeypatch):
    assert (paths.data_folder("datasets") / "smoke.yaml").is_file()
    package = tmp_path / "site-packages" / "harness"
    (package / "shipped" / "datasets").mkdir(parents=True)
    (tmp_path / "site-packages" / "datasets").mkdir()  # Hugging Face's, not ours
    monkeypatch.setattr(paths, "_PACKAGE", package)
    assert paths.data_folder("datasets") == package / "shipped" / "datasets"
    with pytest.raises(SpecError, match="missing from this installation"):
        paths.data_folder("sweeps")
    with pytest.raises(SpecError, match="no data folder called 'tests'"):
        paths.data_folder("tests")


def test_the_revision_of_a_benchmark_changes_with_any_statement_and_not_with_the_order():
    problems = [Problem(str(i), "b", "test", "", f"theorem t{i} : True", f"t{i}") for i in range(5)]
    other = [*problems[:4], dataclasses.replace(problems[4], statement="theorem t4 : False")]
    assert loading.revision_of(problems) == loading.revision_of(problems[::-1])
    assert loading.revision_of(problems) != loading.revision_of(other)
