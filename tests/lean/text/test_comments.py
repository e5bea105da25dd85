"""Comments by Lean's rules, and none of them in what is sent."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.lean.text.comments import EDGES, without_comments
from harness.lean.text.screen import screen

PIECES = [
    "/-",
    "-/",
    "--",
    "/--",
    "/-!",
    "-",
    "/",
    "!",
    " ",
    "\n",
    "x",
    '"',
    "'",
    "«",
    "»",
    "r",
    's!"',
    "#",
    "`",
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=24).map("".join)


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ("a -- b\nc", "a     \nc"),
        ("a /- b\n /- c -/ -/ d", "a     \n            d"),
        ("/-- a -/ b", "         b"),
        ("/-! a -/ b", "         b"),
        # The character after `/-` neither opens nor closes.
        ("/-/- -/ a -- -/ -/", "        a         "),
        ("/-/ a -/ b", "         b"),
        # After `/--` Lean skips white space and comments first; here only text can be lost.
        ("/--/ -- -/ a", "           a"),
        ("/-- -- -/ a", "          a"),
        ("a--b", "a   "),
        ('"--" a', '"--" a'),
    ],
)
def test_comments_become_blanks(source: str, left: str) -> None:
    assert without_comments(source) == left


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_positions_stay_and_what_is_sent_holds_no_mark_of_a_comment(source: str) -> None:
    left = without_comments(source)
    assert len(left) == len(source)
    assert [at for at, char in enumerate(source) if char == "\n"] == [
        at for at, char in enumerate(left) if char == "\n"
    ]
    assert all(new in (old, " ") for old, new in zip(source, left, strict=True))
    if screen(source) is None:
        assert not any(edge in left for edge in EDGES)
        assert without_comments(left) == left
