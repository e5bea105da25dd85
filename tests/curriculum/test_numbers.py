"""Linear arithmetic of the generator, against evaluation."""

import itertools
import random

from harness.curriculum.numbers import _atom, _true, follows, numbers


def test_what_follows_holds_at_every_point_and_most_that_holds_follows():
    rng = random.Random(2)
    agreed = missed = 0
    for _ in range(400):
        hypotheses, goal = [_atom(rng, 2) for _ in range(2)], _atom(rng, 2)
        holds = all(
            _true(goal, point)
            for point in itertools.product(range(30), repeat=2)
            if all(_true(item, point) for item in hypotheses)
        )
        if follows(hypotheses, goal, 2):
            assert holds
            agreed += 1
        else:
            missed += holds
    assert agreed > 50 and missed <= agreed // 10


def test_theorems_are_distinct_and_one_tactic_a_line():
    theorems = list(itertools.islice(numbers(5), 120))
    assert len({item.statement for item in theorems}) == 120
    assert all("\n" not in line for item in theorems for line in item.proof)
