"""Open scopes are counted, stray `end`s go, names are compared by their parts."""

from __future__ import annotations

import pytest

from harness.lean.text.lexer import lex, significant
from harness.lean.text.scopes import name_parts, plain_parts, scopes_of, without_stray_ends


@pytest.mark.parametrize(
    ("text", "ends", "namespace"),
    [
        ("", "", ""),
        ("section\nvariable (n : Nat)", "end\n", ""),
        ("namespace A.B\nsection S", "end S\nend B\nend A\n", "A.B"),
        ("namespace A.B\nend B", "end A\n", "A"),
        ("noncomputable section\nnamespace «a.b»", "end «a.b»\nend\n", "«a.b»"),
        ("mutual\nend\nsection\nend", "", ""),
        ("section\ntheorem end_of : True := trivial", "end\n", ""),
    ],
)
def test_what_is_left_open(text: str, ends: str, namespace: str) -> None:
    found = scopes_of(significant(lex(text)))
    assert (found.ends, found.namespace) == (ends, namespace)


def test_an_end_of_what_was_not_opened_is_blanked_out() -> None:
    assert without_stray_ends("simp\nend X\n#check a") == "simp\n     \n#check a"
    assert without_stray_ends("section S\nend S\nend") == "section S\nend S\n   "
    kept = "namespace X\ntheorem a : True := trivial\nend X"
    assert without_stray_ends(kept) == kept


def test_names_are_compared_not_spelled() -> None:
    assert plain_parts("«a».b") == plain_parts("a.«b»") == plain_parts("_root_.a.b") == ("a", "b")
    assert plain_parts("«sum is even»") == ("sum is even",)
    assert plain_parts("«a.b»") == ("a.b",) != plain_parts("a.b")
    assert name_parts("") == []
