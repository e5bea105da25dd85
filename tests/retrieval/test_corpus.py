"""Which premises a theorem may use, and how they are written down for a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import SpecError, UserError
from harness.retrieval.corpus import Corpus, Premise
from harness.types import Problem


def entry(path: str, imports: list[str], *names: str) -> dict[str, Any]:
    """One premise a line."""
    told = [
        {"full_name": name, "code": f"theorem {name} : True", "start": [line, 1], "end": [line, 30]}
        for line, name in enumerate(names, 1)
    ]
    return {"path": path, "imports": imports, "premises": told}


FILES = [
    entry("Init.lean", [], "i"),
    entry("A.lean", [], "a1", "a2"),
    entry("B.lean", ["A.lean"], "b1", "b2", "b3"),
    entry("C/D.lean", ["B.lean"], "d1"),
]
CORPUS = Corpus(FILES, "x")


def names(mask: Any) -> list[str]:
    return [premise.name for premise, allowed in zip(CORPUS.premises, mask, strict=True) if allowed]


def test_imports_reach_through_and_a_file_ends_where_the_theorem_begins() -> None:
    assert names(CORPUS.accessible("B.lean", (3, 1))) == ["a1", "a2", "b1", "b2"]
    assert names(CORPUS.accessible("A.lean", (1, 1))) == []
    assert names(CORPUS.accessible("C/D.lean", (1, 1))) == ["a1", "a2", "b1", "b2", "b3"]


@pytest.mark.parametrize(
    ("identity", "header", "told"),
    [
        ("p", "import A\n", ["i", "a1", "a2"]),
        ("p", "public import C.D\nimport Unknown\n", ["i", "a1", "a2", "b1", "b2", "b3", "d1"]),
        ("p", "", ["i"]),
        ("b2@B.lean", "import A\n\n", ["a1", "a2", "b1", "b2"]),
        ("x@nowhere.lean", "import A", ["i", "a1", "a2"]),
    ],
)
def test_a_problem_has_what_its_place_or_its_imports_give(
    identity: str, header: str, told: list[str]
) -> None:
    assert names(CORPUS.accessible_to(Problem(identity, "", "", header, "theorem p : True", "p"))) == told


NAME = "Nat.add_comm"


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        (NAME, "theorem Nat.add_comm : x", "theorem <a>Nat.add_comm</a> : x"),
        (NAME, "theorem add_comm : add_comm x", "theorem <a>Nat.add_comm</a> : <a>Nat.add_comm</a> x"),
        ("Nat.foo", "theorem _root_.Nat.foo : x", "theorem <a>Nat.foo</a> : x"),
        ("A.inst", "instance : Foo", "instance : Foo"),
    ],
)
def test_a_premise_is_marked_as_reprover_marks_it(name: str, code: str, text: str) -> None:
    assert Premise(name, code, "A.lean", (1, 1), (1, 9)).text == text


def test_a_place_has_its_premise() -> None:
    assert CORPUS.at("B.lean", (2, 7)) == 4 and CORPUS.at("B.lean", (9, 1)) is None
    assert CORPUS.at("none.lean", (1, 1)) is None


def test_broken_corpora_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"'B\.lean'"):
        Corpus([entry("B.lean", ["A.lean"])], "x")
    (tmp_path / "c.jsonl").write_text("{")
    for path in (tmp_path / "c.jsonl", tmp_path / "absent"):
        with pytest.raises(UserError, match="no corpus"):
            Corpus.read(path)
    nameless = {"path": "A.lean", "imports": [], "premises": [{"full_name": None, "code": "x"}]}
    assert Corpus([nameless], "x").premises == []
