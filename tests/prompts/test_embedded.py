"""The prompt format, and how long prompts are shortened."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.prompts import embedded
from harness.prompts.extraction import first_line

FIRST = "case left\nP Q : Prop\nh1 : P\nh2 : Q\n⊢ P ∧\n    Q"
SECOND = "case right\nP : Prop\nh3 : P\n⊢ P"


def words(text: str) -> int:
    return len(text.split())


def test_the_generator_reads_the_first_goal_the_value_model_all() -> None:
    assert embedded.tactic_prompt([FIRST, SECOND]) == "P Q : Prop\nh1 : P\nh2 : Q\n⊢ P ∧\n    Q<sep>"
    whole = "P Q : Prop\nh1 : P\nh2 : Q\n⊢ P ∧\n    Q\n\nP : Prop\nh3 : P\n⊢ P<sep>"
    assert embedded.value_prompt([FIRST, SECOND]) == whole


def test_one_completion_serves_both_uses() -> None:
    text = embedded.completion(["intro h", "exact h"])
    assert text == "intro h\nexact h" and first_line(text).text == "intro h"


def test_what_fits_is_left_alone() -> None:
    assert embedded.fit(FIRST, words(FIRST), words) == FIRST


def test_later_hypotheses_go_first_then_old_ones_then_later_goals() -> None:
    state = "a\nb\n⊢ G\n\nc\nd\n⊢ H"
    kept = [embedded.fit(state, limit, words) for limit in range(8, 1, -1)]
    assert kept == [
        state,
        "a\nb\n⊢ G\n\nd\n⊢ H",
        "a\nb\n⊢ G\n\n⊢ H",
        "b\n⊢ G\n\n⊢ H",
        "⊢ G\n\n⊢ H",
        "⊢ G",
        "⊢ G",
    ]


def test_a_target_that_is_too_long_alone_keeps_its_end() -> None:
    target = "⊢ " + " ".join(f"x{n}" for n in range(50))
    kept = embedded.fit("h : P\n" + target, 10, words)
    assert words(kept) <= 10 and kept.endswith("x49")


line = st.text(alphabet="abP ∧⊢\n", max_size=12)


@given(st.lists(line, min_size=1, max_size=8), st.integers(1, 40))
def test_it_always_fits_and_never_invents(lines: list[str], limit: int) -> None:
    text = "\n".join(lines)
    kept = embedded.fit(text, limit, len)
    assert len(kept) <= limit
    assert set(kept) <= set(text) | {"\n"}
