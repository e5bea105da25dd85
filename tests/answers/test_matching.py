"""Answers find their problem, and there are as many for each or the reader is told what to say."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from harness.answers.columns import StatedAnswer
from harness.answers.given import GivenAnswers, read
from harness.answers.matching import Given, Terms, given
from harness.errors import UserError
from harness.lean.text.markdown import lean_part
from harness.types import Problem

PROBLEMS = [Problem(f"id{n}", "toy", "test", "", f"theorem t{n} : True", f"t{n}") for n in range(3)]


def answer(
    problem: str | None, text: str = "trivial", sample: int | None = None, line: int = 1
) -> StatedAnswer:
    return StatedAnswer(f"f:{line}", problem, text, sample)


EACH_ONE = [answer(f"id{n}", f"text {n}") for n in range(3)]
EACH_TWO = [*EACH_ONE, *(replace(one, text=f"{one.text} again") for one in EACH_ONE)]


def matched(found: list[StatedAnswer], **terms: object) -> Given:
    return given(found, PROBLEMS, {"v1": "of split valid"}, Terms(**terms), "f")  # type: ignore[arg-type]


def test_answers_without_numbers_are_numbered_as_they_stand() -> None:
    made = matched(EACH_TWO)
    assert (made.samples, made.filled, made.notes) == (2, 0, ())
    assert [made.answers["id1", index].text for index in (0, 1)] == ["text 1", "text 1 again"]


def test_numbers_order_the_answers_from_wherever_they_count() -> None:
    found = [replace(one, sample=5 - place // 3) for place, one in enumerate(EACH_TWO)]
    assert matched(found).answers["id1", 0].text == "text 1 again"


def test_theorem_names_and_what_an_answer_states_name_its_problem() -> None:
    stated = "lemma helper : True := trivial\n\n-- theorem t0\ntheorem t1 : True := by trivial"
    made = matched([answer("id0"), answer("t2"), answer(None, stated)])
    assert made.answers["id1", 0].text == stated
    with pytest.raises(UserError, match="states t0, t1; name the problem in a column"):
        matched([answer(None, "theorem t0 : True := trivial\ntheorem t1 : True := trivial")])
    with pytest.raises(UserError, match="f:1: no column names the problem, and the answer states no theorem"):
        matched([answer(None, "by trivial")])


def test_names_in_other_letters_are_known_where_only_one_can_be_meant() -> None:
    made = matched([answer("ID0"), answer("T1"), answer(None, "theorem T2 : True := trivial")])
    assert sorted(name for name, _ in made.answers) == ["id0", "id1", "id2"]
    twins = [replace(PROBLEMS[0], id="Ab", theorem="Ab"), replace(PROBLEMS[1], id="aB", theorem="aB")]
    made = given([answer("Ab"), answer("aB")], twins, {}, Terms(), "f")
    assert {name for name, _ in made.answers} == {"Ab", "aB"}
    with pytest.raises(UserError, match="no problem 'AB'"):
        given([answer("AB")], twins, {}, Terms(), "f")


def test_digest_follows_texts_and_costs_and_nothing_else() -> None:
    base = matched(EACH_TWO).digest
    assert matched([replace(one, where="g:9", claimed=True) for one in EACH_TWO]).digest == base
    assert matched([replace(EACH_TWO[0], completion_tokens=1), *EACH_TWO[1:]]).digest != base
    assert matched([replace(EACH_TWO[0], text="x"), *EACH_TWO[1:]]).digest != base


def test_an_unknown_problem_is_told_with_the_nearest_and_one_of_another_split_left_out() -> None:
    with pytest.raises(UserError, match=r"f:7: no problem 'id_1' in the benchmark; did you mean 'id1'"):
        matched([*EACH_ONE, answer("id_1", line=7)])
    made = matched([*EACH_ONE, answer("id_1"), answer("v1")], skip_unknown=True)
    assert made.notes == (
        "1 answers to problems of split valid are left out",
        "answers to 1 unknown problems are left out: id_1",
    )
    with pytest.raises(UserError, match="none of its answers is to a problem that is asked for"):
        matched([answer("v1")])


def test_a_sample_number_that_stands_twice_is_told_with_both_places() -> None:
    with pytest.raises(UserError, match="f:4: sample 0 of id0 stands there twice, first at f:2"):
        matched([answer("id0", sample=0, line=2), answer("id0", sample=0, line=4)])


def test_unequal_counts_are_refused_until_it_is_said_what_they_mean() -> None:
    fewer = "f: 1 of 3 problems have fewer than 2 answers (id2 1), and pass@k needs as many of each; "
    with pytest.raises(UserError) as error:
        matched(EACH_TWO[:-1])
    assert str(error.value) == (
        f"{fewer}--samples 1 takes the first 1 of each; --missing failed counts what is missing as not proved"
    )
    cut = matched(EACH_TWO[:-1], samples=1)
    assert (cut.samples, cut.filled, len(cut.answers)) == (1, 0, 3)
    assert cut.notes == ("2 answers beyond the first 1 of their problem are left out",)
    failed = matched(EACH_TWO[:-1], missing_failed=True)
    assert (failed.samples, failed.filled) == (2, 1)
    with pytest.raises(UserError, match=r"\(id2 0\), and pass@k needs as many of each; --missing failed"):
        matched(EACH_ONE[:2])
    with pytest.raises(UserError, match="3 of 3 problems have fewer than 4 answers"):
        matched(EACH_TWO, samples=4)


def test_one_of_several_models_is_chosen() -> None:
    found = [*(replace(one, model="a") for one in EACH_ONE), *(replace(one, model="b") for one in EACH_ONE)]
    with pytest.raises(UserError, match=r"f: holds answers of a \(3\), b \(3\); say which with --model NAME"):
        matched(found)
    made = matched(found, model="b")
    assert (made.samples, made.model, made.notes) == (1, "b", ("3 answers of other models are left out",))
    with pytest.raises(UserError, match="holds answers of a"):
        matched(found, model="c")
    assert matched(EACH_ONE, model="c").model == "c"


def test_more_tokens_than_an_attempt_was_allowed_is_a_contradiction() -> None:
    long = [replace(EACH_ONE[0], completion_tokens=65), *EACH_ONE[1:]]
    with pytest.raises(UserError, match="f:1: 65 tokens, --max-tokens says 64"):
        matched(long, max_tokens=64)


def test_an_answer_is_read_as_a_models_is() -> None:
    fenced = "A plan.\n```lean4\nsorry\n```\nNow:\n```lean4\ntrivial\n```\nDone."
    plain = "@[simp]\ndef f := 1\n\n/- A comment that reads as prose.\n-/\ntheorem t0 : True := trivial"
    assert read(fenced).text == "trivial"
    assert read(plain).text == plain
    continued = "  trivial\n```\n\nThis closes the goal."
    assert lean_part(read(continued).text, "t0")[0] == "  trivial"
    prover = GivenAnswers({("id0", 0): answer("id0", fenced), ("id1", 0): answer("id1", "```text\nno\n```")})
    first, none, missing = (
        asyncio.run(prover.attempt(PROBLEMS[n], index, 0)) for n, index in ((0, 0), (1, 0), (0, 1))
    )
    assert (first.proof, first.raw) == ("trivial", fenced)
    assert none.proof is None and none.raw
    assert missing.proof is None and not missing.raw
