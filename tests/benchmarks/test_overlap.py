"""Contamination: same statements under other names, and shared n-grams."""

from harness.benchmarks.overlap import grams, normal_tokens, overlap
from harness.types import Problem


def problem(name: str, rest: str, benchmark: str = "b") -> Problem:
    return Problem(name, benchmark, "test", "import Mathlib\n\n", f"theorem {name} {rest}", name)


def test_names_docstrings_and_white_space_do_not_hide_a_statement():
    one = problem("one", "(x y : ℕ) (h : x < y) : ∃ z, x + z = y")
    other = Problem(
        "o", "t", "train", "", "/-- doc -/\ntheorem o (a b : ℕ)\n  (hab : a < b) :\n  ∃ c, a + c = b", "o"
    )
    assert normal_tokens(one) == normal_tokens(other)
    swapped = problem("two", "(x y : ℕ) (h : y < x) : ∃ z, x + z = y")
    assert normal_tokens(one) != normal_tokens(swapped)
    found = overlap([one, swapped], [other])
    assert (found.problems, found.trained, found.same_statement) == (2, 1, 1)
    assert found.hits[0].id == "one" and found.hits[0].share == 1.0 and found.hits[0].seen_in == ("o",)


def test_the_share_counts_n_grams_and_short_statements_are_one_n_gram():
    words = list("abcdefgh")
    assert len(list(grams(words, 3))) == 6 and list(grams(words, 99)) == [tuple(words)]
    half = problem("half", ": 1 + 2 + 3 + 4 = 10 ∧ 5 * 6 * 7 = 210")
    seen = problem("seen", ": 1 + 2 + 3 + 4 = 10 ∧ True", "t")
    found = overlap([half], [seen], n=5)
    mine = list(grams(normal_tokens(half), 5))
    theirs = set(grams(normal_tokens(seen), 5))
    assert found.hits[0].share == sum(gram in theirs for gram in mine) / len(mine)
    assert 0 < found.hits[0].share < 1 and not found.hits[0].same_statement
    assert overlap([half], [problem("x", ": True")], n=5).hits == ()
    assert overlap([problem("s", ": True")], [], n=5).too_short == 1
