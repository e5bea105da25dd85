"""Reading benchmarks that live elsewhere: from small look-alikes of their homes, and from the real data."""

import json
from collections import Counter
from pathlib import Path

import pytest

from harness.benchmarks import fetching, loading
from harness.benchmarks.manifest import Manifest, manifest
from harness.benchmarks.own_rows import read_rows
from harness.benchmarks.sources.origins import placed_at
from harness.errors import SpecError, StoreError

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the real data is not beside the project")
FILE = "import Mathlib\n\nopen Nat\n\ntheorem {name} (n : ℕ) : n + {k} = {k} + n := by sorry"


def made(**source) -> Manifest:
    splits = source.pop("splits", {"test": 2})
    return Manifest("toy", "Toy", "MIT", "leanprover/lean4:v4.9.0", splits=splits, source=source)


def problems_at(found, path):
    return [problem for _, problem in placed_at(found, path)]


def ids(problems) -> list[str]:
    return [f"{p.split}/{p.id}" for p in problems]


def test_one_file_per_problem_and_one_file_per_split(tmp_path):
    found = made(files={"test": "T/*.lean"}, monolith={"test": "T.lean"})
    (tmp_path / "T").mkdir()
    for k in (1, 2):
        (tmp_path / "T" / f"p{k}.lean").write_text(FILE.format(name=f"p{k}", k=k))
    (tmp_path / "T.lean").write_text("import T.p1\nimport T.p2\n")
    each = problems_at(found, tmp_path)
    assert ids(each) == ["test/p1", "test/p2"]
    assert each[0].source == FILE.format(name="p1", k=1)
    for k in (1, 2):
        (tmp_path / "T" / f"p{k}.lean").unlink()
    whole = "import Mathlib\n\nopen Nat\n\n" + "\n\n".join(
        FILE.format(name=f"p{k}", k=k).split("\n\n")[-1] for k in (1, 2)
    )
    (tmp_path / "T.lean").write_text(whole + "\n")
    assert problems_at(found, tmp_path) == each


def test_rows_with_columns_split_names_and_missing_sorry(tmp_path):
    found = made(
        columns={
            "name": "problem",
            "split": "part",
            "text": ["header", "doc", "formal"],
            "informal": "prose",
        },
        split_names={"validation": "valid"},
        splits={"valid": 1, "test": 1},
    )
    rows = [
        {"problem": "a", "part": "validation", "header": "import Mathlib\n\n", "doc": "/-- A. -/",
         "formal": "theorem a : 1 = 1 := by\n", "prose": "A"},
        {"problem": "b", "part": "test", "header": "import Mathlib\n\n", "doc": "",
         "formal": "theorem b : 1 = 1 :=", "prose": "B"},
    ]  # fmt: skip
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    first, second = problems_at(found, path)
    assert ids([first, second]) == ["valid/a", "test/b"]
    assert first.source == "import Mathlib\n\n/-- A. -/\ntheorem a : 1 = 1 := by sorry"
    assert (second.placeholder, second.informal) == (" := by sorry", "B")
    rows[0]["part"] = "validate"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(SpecError, match=r"rows.jsonl:1: split 'validate'; did you mean 'valid'"):
        problems_at(found, path)


def test_proofs_become_gold_and_unported_rows_are_left_out(tmp_path):
    found = made(columns={"name": "id", "text": "code"}, skip_unported=True, repeats=True, last_theorem=True)
    rows = [
        {"id": "a", "code": "lemma h : True := trivial\ntheorem a : True := by\n  exact h"},
        {"id": "b", "code": "/- theorem b : False := sorry -/"},
        {"id": "a", "code": "theorem a : 2 = 2 := by sorry"},
        {"id": "a", "code": "theorem a : 2 = 2 := by sorry"},
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    problems = problems_at(found, path)
    assert [p.id for p in problems] == ["a", "a#2"]
    assert problems[0].gold == "by\n  exact h" and problems[0].placeholder == " := by sorry"
    assert problems[0].header == "lemma h : True := trivial\n"


def test_leandojo_takes_statements_from_the_library_source(tmp_path):
    source = "import A\n\ntheorem x : 1 = 1 := rfl\n\ntheorem y (n : ℕ) :\n    n = n := by\n  rfl\n"
    (tmp_path / "source" / "M").mkdir(parents=True)
    (tmp_path / "source" / "M" / "F.lean").write_text(source)
    (tmp_path / "random").mkdir()
    row = {"file_path": "M/F.lean", "full_name": "y", "start": [5, 1], "end": [7, 6],
           "traced_tactics": [{"tactic": "rfl"}]}  # fmt: skip
    (tmp_path / "random" / "val.json").write_text(json.dumps([row]))
    [problem] = problems_at(made(reader="leandojo", splits={}), tmp_path)
    assert problem.split == "valid" and problem.gold == "rfl"
    assert problem.header == "import A\n\ntheorem x : 1 = 1 := rfl\n\n"
    assert problem.statement == "theorem y (n : ℕ) :\n    n = n"


def test_a_missing_benchmark_says_how_to_fetch_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    with pytest.raises(SpecError, match="harness data fetch minif2f") as caught:
        loading.load("minif2f")
    assert "--from" in str(caught.value) and "5746b7d6" in str(caught.value)
    with pytest.raises(SpecError, match="unknown key 'comit'; did you mean 'commit'"):
        problems_at(made(comit="x"), tmp_path)
    with pytest.raises(SpecError, match="is no checkout of https://x"):
        problems_at(made(git="https://x", files={"test": "*.lean"}), tmp_path)
    with pytest.raises(SpecError, match=r"holds no \*.jsonl"):
        problems_at(made(files={"test": "*.lean"}), tmp_path)


def fetched(tmp_path, monkeypatch, rows, *, splits=None, **source) -> str:
    """The one line that refuses `rows` for a benchmark of the user's own; empty when they are taken."""
    splits = {"test": len(rows)} if splits is None else splits
    stated = {"name": "own", "title": "Own", "licence": "MIT", "toolchain": "core", "splits": splits}
    (tmp_path / "own.yaml").write_text(json.dumps({**stated, "source": source}))
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.setenv("HARNESS_BENCHMARKS", str(tmp_path))
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    try:
        fetching.fetch("own", tmp_path / "rows.jsonl")
    except SpecError as error:
        assert "\n" not in str(error)
        return str(error)
    return ""


OWN = [
    {"id": 0, "header": "import Mathlib\n\n", "formal": "theorem a : 1 = 1", "proof": "rfl"},
    {"id": 1, "header": "import Mathlib\n\n", "formal": "theorem b : 2 = 2", "proof": ""},
]
COLUMNS = {"name": "id", "text": ["header", "formal"], "gold": "proof"}


def test_rows_of_ones_own_with_numbers_for_names_and_some_proofs(tmp_path, monkeypatch):
    assert fetched(tmp_path, monkeypatch, OWN, columns=COLUMNS) == ""
    problems = loading.load("own")
    assert ids(problems) == ["test/0", "test/1"] and [p.gold for p in problems] == ["rfl", None]
    assert problems[0].source == "import Mathlib\n\ntheorem a : 1 = 1 := by sorry"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"columns": {"nam": "id"}}, ["own.yaml: source.columns: unknown key 'nam'", "did you mean 'name'"]),
        (
            {"columns": {**COLUMNS, "name": "idx"}},
            ["own.yaml: source.columns.name: no row of", "rows.jsonl has a column 'idx'; did you mean 'id'"],
        ),
        ({"columns": {**COLUMNS, "text": ["head", "formal"]}}, ["source.columns.text", "'header'"]),
        ({"columns": {"name": "id"}}, ["source.columns.text: no row of", "'formal_statement'", "'formal'"]),
        ({"columns": {**COLUMNS, "gold": 3}}, ["source.columns.gold: expected a column's name, found 3"]),
        ({"columns": ["id"]}, ["source.columns: expected dict"]),
        ({"columns": COLUMNS, "rows_kept": {"state": ["ok"]}}, ["source.rows_kept: no row of", "'state'"]),
    ],
)
def test_columns_that_are_not_there_are_named_with_the_nearest(tmp_path, monkeypatch, source, words):
    message = fetched(tmp_path, monkeypatch, OWN, **source)
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("rows", "splits", "words"),
    [
        (
            [OWN[0], {**OWN[1], "id": 0}],
            None,
            ["rows.jsonl:2: id '0' stands twice", "rows.jsonl:1", "own.yaml"],
        ),
        (
            [OWN[0], {**OWN[0], "id": 2, "formal": "theorem c : 1 = 1"}],
            None,
            ["rows.jsonl:2: '2' and '0'", "rows.jsonl:1) state the same theorem", "own.yaml"],
        ),
        (OWN, {"test": 3}, ["own.yaml: splits: ", "rows.jsonl holds {'test': 2}", "says {'test': 3}"]),
        ([], {}, ["rows.jsonl: holds no problem", "own.yaml"]),
        ([{**OWN[0], "proof": 3}], None, ["rows.jsonl:1: column 'proof': expected a proof as text, found 3"]),
        ([{**OWN[0], "formal": ["x"]}], None, ["rows.jsonl:1: column 'formal': expected text"]),
    ],
)
def test_wrong_rows_are_named_with_file_line_and_manifest(tmp_path, monkeypatch, rows, splits, words):
    message = fetched(tmp_path, monkeypatch, rows, splits=splits, columns=COLUMNS)
    assert all(word in message for word in words), message


def test_a_byte_order_mark_is_dropped_from_rows_and_files(tmp_path, monkeypatch):
    assert fetched(tmp_path, monkeypatch, OWN, columns=COLUMNS) == ""
    before = loading.load("own")
    rows = tmp_path / "rows.jsonl"
    rows.write_text(rows.read_text(), encoding="utf-8-sig")
    fetching.fetch("own", rows)
    assert loading.load("own") == before
    text = "import Mathlib\n\ntheorem a : 1 = 1 := rfl"
    (tmp_path / "lean").mkdir()
    (tmp_path / "lean" / "a.lean").write_text(text, encoding="utf-8-sig")
    [problem] = problems_at(made(files={"test": "*.lean"}), tmp_path / "lean")
    assert problem.header == "import Mathlib\n\n"
    rows.write_text(json.dumps({"name": "a", "formal_statement": f"\ufeff{text}"}) + "\n")
    assert problems_at(made(columns={"name": "name"}), rows)[0].header == "import Mathlib\n\n"


def test_a_benchmark_without_a_home_asks_for_a_path(tmp_path, monkeypatch):
    assert fetched(tmp_path, monkeypatch, OWN, columns=COLUMNS) == ""
    with pytest.raises(SpecError, match=r"own.yaml: source: .*give --from PATH"):
        fetching.fetch("own")
    (tmp_path / "data" / "own.jsonl").unlink()
    with pytest.raises(SpecError, match=r"no data at .*give --from PATH") as caught:
        loading.load("own")
    assert "None" not in str(caught.value) and "None" not in fetching.row_of(manifest("own")).where


@needs_shared
def test_all_of_minif2f_loads_byte_for_byte_and_is_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    path = fetching.fetch("minif2f", SHARED / "minif2f")
    assert path == tmp_path / "data" / "minif2f.jsonl"
    problems = loading.load("minif2f", "all")
    assert Counter(p.split for p in problems) == {"test": 244, "valid": 244}
    rows = [row for name in ("test", "valid") for row in read_rows(SHARED / "minif2f" / f"{name}.jsonl")]
    assert {p.id: p.source for p in problems} == {row["name"]: row["lean"] for row in rows}
    assert {p.id for p in problems if p.id in loading.defective("minif2f")} == {"mathd_algebra_314"}
    assert next(row for row in fetching.listing() if row.name == "minif2f").here


@needs_shared
def test_all_of_putnambench_loads_in_both_tracks():
    path = SHARED / "putnambench"
    known = loading.load("putnambench", path=path)
    unknown = loading.load("putnambench-noanswer", path=path)
    files = {row["name"]: row["lean"] for row in read_rows(path / "lean4.jsonl")}
    assert {p.id: p.source for p in known} == {p.id: p.source for p in unknown} == files
    assert len(files) == 672 and all(p.theorem == p.id for p in known)
    assert sum(bool(p.holes) for p in known) == sum(bool(p.holes) for p in unknown) == 346
    assert {hole.name for p in known for hole in p.holes} == {f"{p.id}_solution" for p in known if p.holes}
    assert all(hole.answer for p in known for hole in p.holes)
    assert not any(hole.answer for p in unknown for hole in p.holes)
    assert {p.revision for p in known if p.holes}.isdisjoint({p.revision for p in unknown})


@needs_shared
def test_data_of_another_revision_is_refused_and_the_changed_statements_named(tmp_path):
    rows = read_rows(SHARED / "minif2f" / "test.jsonl")
    rows += read_rows(SHARED / "minif2f" / "valid.jsonl")
    rows[3]["lean"] = rows[3]["lean"].replace("ℚ", "ℝ")
    changed = tmp_path / "minif2f.jsonl"
    changed.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(SpecError, match=f"1 statements differ: test/{rows[3]['name']}"):
        loading.load("minif2f", path=changed)


def test_fetching_what_lies_beside_its_manifest_or_cannot_be_kept(tmp_path, monkeypatch):
    with pytest.raises(SpecError, match="lies beside its manifest"):
        fetching.fetch("smoke")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "file" / "below"))
    rows = [{"name": f"p{k}", "split": "test", "lean": FILE.format(name=f"p{k}", k=k)} for k in range(244)]
    (tmp_path / "kimina.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(StoreError, match="set HARNESS_DATA"):
        fetching.fetch("minif2f-kimina", tmp_path / "kimina.jsonl")


def test_an_unreachable_repository_is_one_clear_line(tmp_path, monkeypatch):
    found = made(git=str(tmp_path / "nowhere"), commit="abc", files={"test": "*.lean"})
    monkeypatch.setattr(fetching, "manifest", lambda name: found)
    with pytest.raises(SpecError, match=r"git says .*--from") as caught:
        fetching.fetch("toy")
    assert "\n" not in str(caught.value)


def test_the_list_shows_every_benchmark_and_what_is_here(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    rows = {row.name: row for row in fetching.listing()}
    assert rows["smoke"].here and not rows["proofnet"].here
    assert "harness data fetch proofnet" in rows["proofnet"].where
    shown = fetching.show("minif2f-deepseek")
    assert shown["splits"] == {"valid": 244, "test": 244} and len(shown["defects"]) == 17
    json.dumps(shown)


def test_a_hub_out_of_reach_is_one_line_at_once(monkeypatch):
    import huggingface_hub

    class Unplugged:
        def head(self, url, timeout):
            raise ConnectionError("no route to host")

    monkeypatch.setattr(huggingface_hub, "get_session", Unplugged)
    with pytest.raises(SpecError, match=r"--from FOLDER_OR_JSONL\): ConnectionError: no route") as caught:
        fetching.fetch("kimina-promptset")
    assert "\n" not in str(caught.value)


def test_a_hub_data_set_without_a_pinned_revision_is_not_taken():
    with pytest.raises(SpecError, match=r"hub_revision: not pinned.*--revision COMMIT"):
        fetching.fetch("lean-workbook")
