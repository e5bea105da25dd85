"""Value models held against the tactics that were left, on states that both scored."""

import dataclasses
from pathlib import Path

import pytest

from harness.analysis.compare import compare
from harness.analysis.comparison_tables import comparison_tables
from harness.analysis.runs import RunView
from harness.analysis.value_models import ValueModels
from harness.provers.search_tree import Edge, Node, SearchTree
from harness.provers.stored_tree import TreeStore
from harness.terminal.tables import plain_text
from harness.types import Problem, ProofState, Step
from tests.making import record, refs, run

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
    assert models.brier_a == 0 and models.brier_b == pytest.approx((0.3**2 + 0.4**2) / 2)
    assert models.bias_a == 0 and models.bias_b == pytest.approx(0.35)
    assert models.difference.n == 6 and models.p == pytest.approx(2 / 2**6)
    text = plain_text(comparison_tables(compare([good], [bold])))
    assert "Value models, on 12 states that both scored" in text


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
