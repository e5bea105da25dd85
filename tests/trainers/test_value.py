"""The value model on toy states: it ranks, is split by theorem, and is read back as it was measured."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from harness import checkpoints
from harness.errors import UserError
from harness.experiment.spec import ValueSpec
from harness.values.local import LocalValue
from tests.conftest import Trained
from tests.toy_logic import World, make
from trainers import examples, labelled, reliability, value
from trainers.trajectories import LabelledState

SPEC = ValueSpec(epochs=6, batch_size=32, held_out=0.25, learning_rate=3e-3)


def quiet(done: int, total: int, figures: dict[str, float]) -> None:
    pass


async def on_proofs(world: World, count: int) -> list[LabelledState]:
    found = []
    for problem in [problem for problem in make(150)[1] if (problem.difficulty or 0) > 1][:count]:
        steps = await examples.replay(world, problem, problem.gold or "")
        assert steps is not None
        for number, step in enumerate(steps):
            text = "\n\n".join(step.goals)
            left = len(steps) - number
            found.append(LabelledState(problem.id, problem.revision, text, left, "proof", step.tactic, 0))
    return found


@pytest.fixture(scope="module")
def states(generator: Trained) -> list[LabelledState]:
    return asyncio.run(on_proofs(generator.world, 120))


@pytest.fixture(scope="module")
def trained(
    generator: Trained, states: list[LabelledState], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, value.Metrics]:
    out = tmp_path_factory.mktemp("value") / "checkpoint"
    return out, value.train(SPEC, states, generator.path, seed=0, threads=1, out=out, progress=quiet)


def test_it_learns_the_distance_on_theorems_it_has_not_seen(trained: tuple[Path, value.Metrics]) -> None:
    _, metrics = trained
    figures = {name: figure for name, figure in metrics.items() if figure is not None}
    assert figures["bce"] < figures["bce_constant"]
    assert figures["spearman"] > 0.6 and figures["spearman_within"] > 0.8
    assert figures["steps_error"] < 1.5 and figures["ece"] < 0.1
    assert figures["n_held_out"] > 30 and 10 <= figures["theorems_held_out"] <= 50


def test_the_checkpoint_scores_as_it_was_measured(
    generator: Trained, states: list[LabelledState], trained: tuple[Path, value.Metrics]
) -> None:
    out, metrics = trained
    sealed = checkpoints.read(out, "value")
    assert sealed.metrics == metrics and sealed.parent == checkpoints.read(generator.path).weights
    training, held_out = labelled.split(SPEC, states, seed=0)
    predicted = LocalValue.load(out, threads=1).score_texts([row.prompt for row in held_out])
    assert labelled.figures(SPEC, training, held_out, predicted).items() <= metrics.items()
    bins = json.loads((out / reliability.DATA).read_text(encoding="utf-8"))
    assert sum(item["count"] for item in bins) == len(held_out)


def test_no_theorem_on_both_sides_and_repeats_come_after_the_split(states: list[LabelledState]) -> None:
    training, held_out = labelled.split(SPEC, states, seed=3)
    left, right = ({row.state.revision for row in side} for side in (training, held_out))
    assert left and right and not left & right
    more, other = labelled.split(SPEC, [*states, *states], seed=3)
    assert (more, other) == (training, held_out)
    later = [LabelledState("new", "new", "⊢ P", 1, "proof", None, 1)]
    grown = [row.state for side in labelled.split(SPEC, [*states, *later], seed=3) for row in side]
    assert len(grown) == len(training) + len(held_out) + 1


def test_oversampling_repeats_positive_examples_alone(
    generator: Trained, states: list[LabelledState], tmp_path: Path
) -> None:
    others = [
        LabelledState(s.problem_id, s.revision, s.state + " ∨ R", None, "other", None, 0) for s in states[:60]
    ]
    steps: list[int] = []
    for name, oversample in (("one", 1), ("three", 3)):
        spec = SPEC.model_copy(
            update={"epochs": 1, "batch_size": 8, "oversample": oversample, "other_states": "zero"}
        )
        value.train(
            spec,
            states[:60] + others,
            generator.path,
            seed=0,
            threads=1,
            out=tmp_path / name,
            progress=lambda _, total, __: steps.append(total),
        )
    assert steps[-1] == pytest.approx(2 * steps[0], abs=1)


def test_same_seed_same_weights(generator: Trained, states: list[LabelledState], tmp_path: Path) -> None:
    spec = SPEC.model_copy(update={"epochs": 1})
    weights = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        value.train(spec, states, generator.path, seed=seed, threads=1, out=tmp_path / name, progress=quiet)
        weights.append(checkpoints.read(tmp_path / name).weights)
    assert weights[0] == weights[1] != weights[2]


def test_gamma_reaches_the_labels_and_gamma_one_has_no_distance(
    generator: Trained, states: list[LabelledState], tmp_path: Path
) -> None:
    spec = SPEC.model_copy(update={"epochs": 1, "gamma": 1.0})
    metrics = value.train(
        spec,
        states,
        generator.path,
        seed=0,
        threads=1,
        out=tmp_path / "v",
        progress=quiet,
    )
    assert metrics["steps_error"] is None
    assert {row.label for side in labelled.split(spec, states, 0) for row in side} == {1.0}


def test_training_prints_nothing_and_uses_the_stock_loss(
    generator: Trained, states: list[LabelledState], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    spec = SPEC.model_copy(update={"epochs": 1})
    value.train(spec, states, generator.path, seed=0, threads=1, out=tmp_path / "v", progress=quiet)
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")
    config = json.loads((tmp_path / "v" / "config.json").read_text(encoding="utf-8"))
    assert config["problem_type"] == "multi_label_classification" and len(config["id2label"]) == 1


def test_too_few_states_are_the_users_mistake(generator: Trained, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"0 labelled states .* raise trajectories\.problems"):
        value.train(SPEC, [], generator.path, seed=0, threads=1, out=tmp_path / "v", progress=quiet)
    assert not (tmp_path / "v").exists()
