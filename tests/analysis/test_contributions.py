"""What each prover of a union adds: to a run, and to a comparison."""

import dataclasses

from harness.analysis.compare import compare
from harness.analysis.comparison_tables import comparison_tables
from harness.analysis.contributions import Contributions
from harness.analysis.summary import Contribution
from tests.making import record, ref, run


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
    assert Contributions(records).each() == (
        Contribution("first", "portfolio", 1, 0, 1),
        Contribution("second", "mcts", 2, 1, 3),
    )
    assert [item.problems for item in Contributions().each()] == [0, 0]


def test_a_run_and_a_comparison_tell_what_each_prover_of_a_union_adds() -> None:
    problems = [ref(name) for name in "abcd"]
    mixed = [
        proved("a", "first: portfolio"),
        proved("b", "second: mcts"),
        proved("c", "second: mcts"),
        proved("d", "", status="rejected"),
    ]
    union = run("union", mixed, problems, {"evaluation.prover": "union"})
    assert union.summary.union == (
        Contribution("first", "portfolio", 1, 1, 1),
        Contribution("second", "mcts", 2, 2, 2),
    )
    plain = run(
        "plain", [record(name, "proved" if name in "ac" else "rejected") for name in "abcd"], problems
    )
    assert plain.summary.union == ()
    found = compare([plain], [union])
    assert [(part.of, part.adds.side, part.adds.problems, part.beyond) for part in found.unions] == [
        ("B", "first", 1, 0),
        ("B", "second", 2, 1),
    ]
    [table] = [one for one in comparison_tables(found) if one.title.startswith("What each prover of a union")]
    assert table.rows[1] == ["B, second", "mcts", "2", "2", "1", "2"]
    assert compare([plain], [plain]).unions == ()
    both = compare([union], [union]).unions
    assert [(part.of, part.beyond) for part in both] == [("A", 0), ("A", 0), ("B", 0), ("B", 0)]
