"""What each side of a union adds."""

import dataclasses

from harness.analysis.contributions import Contribution, contributions
from tests.making import record


def proved(problem: str, origin: str, index: int = 0, status: str = "proved"):
    made = record(problem, status)
    return dataclasses.replace(made, attempt=dataclasses.replace(made.attempt, origin=origin, index=index))


def test_each_side_has_what_it_proved_and_what_the_other_did_not() -> None:
    records = [
        proved("a", "first: portfolio"),
        proved("a", "second: mcts", 1),
        proved("b", "second: mcts"),
        proved("b", "second: mcts", 1),
        proved("c", "first: portfolio", status="rejected"),
        proved("d", "", status="rejected"),
    ]
    assert contributions(records) == [
        Contribution("first", "portfolio", 1, 0, 1),
        Contribution("second", "mcts", 2, 1, 3),
    ]
    assert [item.problems for item in contributions([])] == [0, 0]
