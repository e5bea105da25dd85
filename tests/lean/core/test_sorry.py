"""The core says of sorries and of `#exit` what Lean says."""

from __future__ import annotations

import pytest

from harness.lean.core.session import prelude, run


def said(text: str) -> list[tuple[str, str]]:
    return [(message.severity, message.data) for message in run(prelude(), text).messages]


@pytest.mark.parametrize(
    "value", ["sorry", "sorryAx (1 = 2) false", "sorryAx _ true", "by exact sorryAx _ false"]
)
def test_every_sorry_is_warned_of(value: str) -> None:
    assert said(f"theorem a : 1 = 2 := {value}") == [("warning", "declaration uses `sorry`")]


def test_sorry_ax_takes_two_arguments() -> None:
    assert [severity for severity, _ in said("theorem a : 1 = 2 := sorryAx _")] == ["error"]


def test_a_theorem_over_a_sorried_one_is_not_warned_of() -> None:
    text = "theorem a : 1 = 2 := sorry\ntheorem b : 1 = 2 := a"
    assert said(text) == [("warning", "declaration uses `sorry`")]


def test_exit_is_warned_of_and_ends_the_file() -> None:
    assert said("#exit\ntheorem a : 1 = 2 := rfl") == [("warning", "using 'exit' to interrupt Lean")]


@pytest.mark.parametrize(
    "text",
    ["namespace A.B\nend B\nend A", "namespace A.B\nend A.B", "section A.B\nend B\nend A", "section\nend"],
)
def test_a_dotted_scope_is_two(text: str) -> None:
    assert said(text) == []
    assert said(text + "\nend")[0][0] == "error"
