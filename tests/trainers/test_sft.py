"""Warm start and expert iteration: what is learned, what is written, what is refused."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from harness import checkpoints
from harness.errors import UserError
from harness.experiment.spec import ExpertIterationSpec
from harness.prompts import embedded
from tests.conftest import TINY, Trained
from tests.toy_logic import make
from trainers import examples, sft


def quiet(done: int, total: int, figures: dict[str, float]) -> None:
    pass


def test_warm_start_learns_and_seals_its_checkpoint(generator: Trained) -> None:
    assert generator.metrics["loss"] < 0.3 < 1.0 < generator.progress[0][2]["loss"]
    assert generator.progress[-1][:2] == (400, 400)
    assert generator.metrics["skipped"] == 0 and generator.metrics["theorems"] == 150
    found = checkpoints.read(generator.path, "generator")
    assert found.prompt_format == embedded.FORMAT and found.parent is None
    assert found.metrics["loss"] == generator.metrics["loss"]


def test_same_seed_same_weights_other_seed_other_weights(tmp_path: Path) -> None:
    world, problems = make(20)
    spec = TINY.model_copy(update={"steps": 4})
    weights = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        sft.warm_start(spec, problems, world, seed=seed, threads=1, out=tmp_path / name, progress=quiet)
        weights.append(checkpoints.read(tmp_path / name).weights)
    assert weights[0] == weights[1] != weights[2]


def test_only_the_easy_part_is_seen(tmp_path: Path) -> None:
    world, problems = make(40)
    spec = TINY.model_copy(update={"steps": 1, "max_difficulty": 2})
    metrics = sft.warm_start(spec, problems, world, seed=0, threads=1, out=tmp_path / "easy", progress=quiet)
    assert metrics["theorems"] == sum(p.difficulty is not None and p.difficulty <= 2 for p in problems) < 40


def test_nothing_to_train_on_is_the_users_mistake(tmp_path: Path) -> None:
    world, problems = make(5)
    spec = TINY.model_copy(update={"max_difficulty": 0})
    with pytest.raises(UserError, match=r"generator\.max_difficulty: 0 .* raise it"):
        sft.warm_start(spec, problems, world, seed=0, threads=1, out=tmp_path / "x", progress=quiet)
    assert not (tmp_path / "x").exists()


def test_fine_tuning_goes_on_from_its_parent(generator: Trained, tmp_path: Path) -> None:
    proofs = [(p, p.gold or "") for p in generator.problems[:30]]
    found, skipped = asyncio.run(examples.from_proofs(generator.world, proofs))
    assert skipped == 0
    spec = ExpertIterationSpec(steps=20, batch_size=16)
    metrics = sft.fine_tune(
        spec, generator.path, found, seed=0, threads=1, out=tmp_path / "child", progress=quiet
    )
    assert metrics["loss"] < 0.5
    child = checkpoints.read(tmp_path / "child", "generator")
    parent = checkpoints.read(generator.path)
    assert child.parent == parent.weights != child.weights


def test_fine_tuning_without_parent_or_proofs_is_refused(generator: Trained, tmp_path: Path) -> None:
    spec = ExpertIterationSpec(steps=1)
    with pytest.raises(UserError, match="no such checkpoint folder"):
        sft.fine_tune(spec, tmp_path / "none", [], seed=0, threads=1, out=tmp_path / "x", progress=quiet)
    with pytest.raises(UserError, match="search found no proof"):
        sft.fine_tune(spec, generator.path, [], seed=0, threads=1, out=tmp_path / "x", progress=quiet)


def test_training_prints_nothing(
    generator: Trained, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    found = [examples.Example("⊢ P<sep>", "assumption")]
    spec = ExpertIterationSpec(steps=1, batch_size=1)
    sft.fine_tune(spec, generator.path, found, seed=0, threads=1, out=tmp_path / "child", progress=quiet)
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")
