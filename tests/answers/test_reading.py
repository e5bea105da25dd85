"""Files of answers in every form that they are published in, and their columns."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from harness.answers.columns import StatedAnswer, answers, chosen
from harness.answers.files import content_of, rows
from harness.errors import UserError

PROOF = "theorem t : True := by\n  trivial\u2028"  # a line separator inside a line of JSON
ROWS = [{"name": "t", "proof": PROOF}, {"name": "u", "proof": 'x, "y"\nz'}]


def written(folder: Path, name: str) -> Path:
    path = folder / name
    match "".join(path.suffixes):
        case ".jsonl":
            path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS) + "\n")
        case ".jsonl.gz":
            path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in ROWS).encode()))
        case ".json":
            path.write_text(json.dumps(ROWS))
        case ".csv":
            path.write_text('\ufeffname,proof\nt,"' + PROOF + '"\nu,"x, ""y""\nz"\n', encoding="utf-8")
        case ".parquet":
            parquet = pytest.importorskip("pyarrow.parquet")
            pyarrow = pytest.importorskip("pyarrow")
            parquet.write_table(pyarrow.Table.from_pylist(ROWS), path)
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.json", "a.csv", "a.parquet"])
def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    assert [dict(row) for _, row in rows(written(tmp_path, name))] == ROWS


def test_a_folder_of_lean_files_and_an_object_of_answers_name_their_problems(tmp_path: Path) -> None:
    folder = tmp_path / "solved" / "src"
    folder.mkdir(parents=True)
    (folder / "t.lean").write_text(PROOF)
    (tmp_path / "solved" / "lakefile.lean").write_text("import Lake")
    before = content_of(folder)
    assert [dict(row) for _, row in rows(tmp_path / "solved")] == [{"problem": "t", "answer": PROOF}]
    (folder / "t.lean").write_text("sorry")
    assert content_of(folder) != before
    (tmp_path / "by.json").write_text(json.dumps({"t": ["a", "b"], "u": "c"}))
    assert [row["answer"] for _, row in rows(tmp_path / "by.json")] == [["a", "b"], "c"]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.jsonl", '{"name": "x"}\n{"na', "a.jsonl:2: not JSON"),
        ("a.jsonl", '{"name": "x", "code": "y", "code": "z"}', "a.jsonl:1: key 'code' stands twice"),
        ("a.json", '{"x": "y", "x": "z"}', "a.json: key 'x' stands twice in one object; keep one"),
        ("a.jsonl", "[1]\n", "a.jsonl:1: expected an object"),
        ("a.json", '{"t": 3}', "not a list of rows"),
        ("a.csv", "name,proof\nt\n", "a.csv:2: not as many cells"),
        ("a.parquet", "PAR?", "not a Parquet file"),
        ("a.txt", "x", ".txt: answers are .jsonl"),
        ("a.jsonl", "\xff", "not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_one_line_with_its_place(
    tmp_path: Path, name: str, text: str, told: str
) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=told) as error:
        list(rows(tmp_path / name))
    assert "\n" not in str(error.value)


def read(row: dict[str, Any], **told: str) -> list[StatedAnswer]:
    return list(answers([("f:1", row)], chosen(row, told, "f")))


@pytest.mark.parametrize(
    ("row", "problem", "text"),
    [
        ({"name": "p", "formal_statement": "s", "header": "h", "formal_proof": "x"}, "p", "x"),
        ({"problem_name": "p", "proof_code": "x", "formal_statement": "s"}, "p", "x"),
        ({"name": "p", "code": "x", "compilation_result": {"complete": True}}, "p", "x"),
        ({"problem_id": "p_3", "origin_problem_id": "p", "full_code": "x", "model_input": "i"}, "p", "x"),
        ({"uuid": "u", "correct_proof": "x", "cot": "<think>"}, None, "x"),
        ({"problem_id": "p", "lean4_code": "s := by sorry", "model_output": "x"}, "p", "x"),
        ({"name": "p", "proof": None}, "p", ""),
    ],
)
def test_columns_of_published_files_are_known(row: dict[str, Any], problem: str | None, text: str) -> None:
    [answer] = read(row)
    assert (answer.problem, answer.text) == (problem, text)


def test_tokens_cuts_models_and_claims_are_read_where_they_stand() -> None:
    row = {"name": "p", "proof": "x", "sample": "3", "model": "m", "usage": {"completion_tokens": 7.0}}
    [answer] = read({**row, "finish_reason": "length", "compilation_result": {"complete": False}})
    assert answer == StatedAnswer("f:1", "p", "x", 3, 0, 7, True, "m", False)


def test_a_list_of_answers_is_as_many_samples_and_lists_beside_it_go_with_them() -> None:
    row = {"name": "p", "full_code": ["x", "y"], "tokens": [5, 6], "complete": [True, False], "attempt": None}
    first, second = read(row)
    assert [(one.text, one.completion_tokens, one.claimed) for one in (first, second)] == [
        ("x", 5, True),
        ("y", 6, False),
    ]
    [lone] = read({"name": "p", "full_code": ["x"], "tokens": 90, "complete": True})
    assert (lone.completion_tokens, lone.claimed) == (0, None)


@pytest.mark.parametrize(
    ("row", "told", "line"),
    [
        ({"a": "x", "name": "p"}, {}, "f: no column is known to hold the answer; .*there are: a, name"),
        ({"a": "x"}, {"answer": "b"}, "--column answer=b: f has none"),
        ({"a": "x"}, {"anwser": "a"}, "no such meaning; did you mean 'answer'"),
        ({"name": "p", "proof": 3}, {}, "f:1: proof: expected text, found 3"),
        ({"name": None, "proof": "x"}, {}, "f:1: name: expected the name of a problem"),
        ({"name": "p", "proof": "x", "sample": "two"}, {}, "f:1: sample: expected a whole number"),
        ({"name": "p", "proof": "x", "tokens": -1}, {}, "f:1: tokens: expected a whole number"),
        ({"name": "p", "proof": ["x"], "sample": 1}, {}, "a list of answers, and yet a sample number"),
    ],
)
def test_what_a_row_lacks_is_one_line(row: dict[str, Any], told: dict[str, str], line: str) -> None:
    with pytest.raises(UserError, match=line):
        read(row, **told)


def test_a_column_can_be_told_and_one_that_means_something_else_be_switched_off() -> None:
    row = {"goal": "p", "proof": "x", "sample": "seventh", "a": {"b": "y"}}
    [answer] = read(row, problem="goal", sample="-", answer="a.b")
    assert (answer.problem, answer.text, answer.sample) == ("p", "y", None)


def test_a_later_row_without_its_answer_is_told() -> None:
    columns = chosen({"name": "p", "proof": "x", "tokens": 3}, {}, "f")
    [short] = answers([("f:2", {"name": "p", "proof": "x"})], columns)
    assert short.completion_tokens == 0
    with pytest.raises(UserError, match="f:3: proof: missing; every row has its answer"):
        list(answers([("f:3", {"name": "p"})], columns))
