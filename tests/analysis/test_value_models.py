"""Value models held against the tactics that were left, on states that both scored."""

import dataclasses
import itertools
import math
from pathlib import Path
from random import Random

import pytest

from harness.analysis import intervals
from harness.analysis.compare import compare
from harness.analysis.comparison_tables import comparison_tables
from harness.analysis.runs import RunView
from harness.analysis.value_models import Scored, ValueModels, scored
from harness.provers.priority import LEAST_VALUE
from harness.provers.search_tree import Edge, Node, SearchTree
from harness.provers.stored_tree import TreeStore
from harness.terminal.tables import plain_text
from harness.types import Problem, ProofState, Step
from tests.making import record, refs, run
from trainers.calibration import calibration_error

GAMMA = 0.5


def stored(folder: Path, values: dict[str, float], problems: int) -> RunView:
    """In each problem: root -> middle -> QED, and a state `aside` that leads nowhere."""
    nodes = [
        Node(i, ProofState((name,)), value=values.get(name))
        for i, name in enumerate(("root", "middle", "aside"))
    ]
    nodes[0].edges = [Edge("x", Step.OPEN, 1), Edge("y", Step.OPEN, 2)]
    nodes[1].edges = [Edge("z", Step.DONE)]
    for number in range(problems):
        name = f"p{number:03}"
        TreeStore(folder)(
            Problem(name, "toy", "test", "", "", name), 0, SearchTree(nodes, ("x", "z"), (0, 1))
        )
    records = [record(f"p{number:03}") for number in range(problems)]
    view = run(folder.name, records, refs(problems), {"value.gamma": GAMMA})
    return dataclasses.replace(view, folder=folder)


def found(a: RunView, b: RunView) -> ValueModels:
    models = compare([a], [b]).models
    assert models is not None
    return models


def test_the_model_nearer_to_the_tactics_left_has_the_smaller_error(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    good = stored(tmp_path / "a", {"root": 0.25, "middle": 0.5, "aside": 0.9}, 6)
    bold = stored(tmp_path / "b", {"root": 0.55, "middle": 0.9, "aside": 0.1}, 6)
    models = found(good, bold)
    assert models.states == 12, "a state without a proof has no label"
    brier, log_loss, calibration = models.scores
    assert brier.a == 0 and brier.b == pytest.approx((0.3**2 + 0.4**2) / 2)
    assert models.bias_a == 0 and models.bias_b == pytest.approx(0.35)
    assert brier.difference.n == 6 and brier.p == log_loss.p == calibration.p == pytest.approx(2 / 2**6)
    assert log_loss.a == 0 and calibration.a == 0 and calibration.b == pytest.approx(0.35)
    text = plain_text(comparison_tables(compare([good], [bold])))
    assert "Value models, on 12 states that both scored" in text


def drawn(count: int, seed: int) -> list[list[Scored]]:
    """States of problems: A a little off its labels, B far off."""
    random = Random(seed)
    problems = []
    for _ in range(count):
        states = []
        for _ in range(random.randint(1, 5)):
            label = 0.9 ** random.randint(1, 12)
            a, b = (min(1.0, max(0.0, random.gauss(label, off))) for off in (0.1, 0.3))
            states.append((a, label, b, label))
        problems.append(states)
    return problems


def test_log_loss_and_calibration_are_those_of_their_definitions() -> None:
    problems = drawn(9, 1)
    _, log_loss, calibration = scored(problems).scores

    def entropy(label: float, said: float) -> float:
        return -label * math.log(said) - (1 - label) * math.log1p(-said)

    def excess(states: list[Scored], at: int) -> float:
        held = [(min(max(one[at], LEAST_VALUE), 1 - LEAST_VALUE), one[at + 1]) for one in states]
        return sum(entropy(label, v) - entropy(label, label) for v, label in held) / len(held)

    for found, at in ((log_loss.a, 0), (log_loss.b, 2)):
        assert found == pytest.approx(sum(excess(states, at) for states in problems) / 9)

    def ece(held: list[list[Scored]], at: int) -> float:
        every = [one for states in held for one in states]
        error = calibration_error([one[at] for one in every], [one[at + 1] for one in every])
        assert error is not None
        return error

    whole = ece(problems, 2) - ece(problems, 0)
    assert (calibration.a, calibration.b) == pytest.approx((ece(problems, 0), ece(problems, 2)))
    left_out = [problems[:n] + problems[n + 1 :] for n in range(9)]
    parts = [9 * whole - 8 * (ece(rest, 2) - ece(rest, 0)) for rest in left_out]
    low, high = intervals.mean_change([part - sum(parts) / 9 + whole for part in parts])
    assert (calibration.difference.low, calibration.difference.high) == pytest.approx((low, high))
    swapped = [
        [
            [(*one[2:], *one[:2]) if swap else one for one in states]
            for states, swap in zip(problems, way, strict=True)
        ]
        for way in itertools.product((False, True), repeat=9)
    ]
    reached = [abs(ece(one, 2) - ece(one, 0)) >= abs(whole) - 1e-12 for one in swapped]
    assert calibration.p == pytest.approx(sum(reached) / 2**9)


def test_families_are_the_units_of_chance() -> None:
    problems = drawn(4, 2)
    alone, doubled = scored(problems), scored(problems * 2, [0, 1, 2, 3] * 2)
    for one, two in zip(alone.scores, doubled.scores, strict=True):
        assert (two.a, two.b, two.p) == pytest.approx((one.a, one.b, one.p))
        assert (two.difference.low, two.difference.high) == pytest.approx(
            (one.difference.low, one.difference.high)
        )


def test_many_problems_are_exchanged_at_random() -> None:
    far, alike = scored(drawn(40, 3)), scored([[(a, x, a, x) for a, x, _, _ in s] for s in drawn(40, 3)])
    assert [one.p < 0.01 for one in far.scores] == [True] * 3
    assert [one.p for one in alike.scores] == [1.0] * 3


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    kept = stored(tmp_path / "a", {"root": 0.25}, 2)
    bare = run("b", [record("p000"), record("p001")], refs(2), {"value.gamma": GAMMA})
    assert "side B stored no search trees" in found(kept, bare).why
    none = dataclasses.replace(bare, spec={key: v for key, v in bare.spec.items() if key != "value"})
    assert compare([kept], [none]).models is None, "one value model has nothing to be held against"
    assert "Value models: side B stored no search trees" in plain_text(
        comparison_tables(compare([kept], [bare]))
    )
