"""A whole training with a stand-in for OpenRLHF: prompts in, a generator out, and going on after a kill."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness import checkpoints as sealed
from harness.errors import InfraError, UserError
from harness.experiment.adoption import OTHER_PROMPTS, adopt
from harness.experiment.resources import Resources
from harness.experiment.spec import ExperimentSpec
from harness.lean.services.opening import LeanServices
from harness.prompts.registry import family
from harness.terminal.progress import Plain
from tests.conftest import Trained
from tests.tiny_models import make_causal_lm
from tests.trainers.openrlhf.making import ONE_GPU, changed
from trainers.openrlhf import checkpoints, launch, stage

STUB = Path(__file__).with_name("stub.py")
SMALL: dict[str, Any] = {
    **ONE_GPU,
    "grpo": {"samples": 4, "prompts": 8, "steps": 3, "max_difficulty": 3},
    "whole_proof": {"max_new_tokens": 24},
}


@pytest.fixture
def python(tmp_path: Path) -> str:
    """An interpreter for which `-m openrlhf.cli.train_ppo_ray` is the stand-in."""
    path = tmp_path / "python"
    path.write_text(f'#!/bin/sh\nexec {sys.executable} {STUB} "$@"\n')
    path.chmod(0o755)
    return str(path)


def work(generator: Trained, python: str, **changes: Any) -> stage.Training:
    return stage.Training(_spec(python, **changes), generator.path, generator.problems, seed=7)


def _spec(python: str, **changes: Any) -> ExperimentSpec:
    more = {key.replace("__", "."): value for key, value in changes.items()}
    return changed({**SMALL, "improve.openrlhf.python": python, **more})


def resources(generator: Trained, root: Path) -> Resources:
    services = LeanServices(generator.world, generator.world)
    return Resources(root, Plain(), open_lean=lambda *_: services)


Calls = list[tuple[int, int, dict[str, float]]]


def train(made: stage.Training, generator: Trained, root: Path, calls: Calls | None = None) -> Any:
    heard: Calls = [] if calls is None else calls
    return stage.train(made, resources(generator, root), root / "out", lambda *call: heard.append(call))


def test_a_new_generator_comes_out(generator: Trained, tmp_path: Path, python: str) -> None:
    calls: Calls = []
    metrics = train(work(generator, python), generator, tmp_path, calls)
    assert [call[:2] for call in calls] == [(1, 3), (2, 3), (3, 3)]
    assert calls[0][2]["reward"] == 0.25 and calls[0][2]["entropy"] == 0.8
    found, parent = sealed.intact(tmp_path / "out", "generator"), sealed.read(generator.path)
    assert found.parent == parent.weights != found.weights
    assert metrics["moved"] > 0 and metrics["reward_last"] == 0.25
    assert (metrics["samples"], metrics["unscored"]) == (24.0, 0.0)
    assert metrics["tokens_per_s"] == pytest.approx(8 * 20 / 0.5)
    assert not (tmp_path / "out" / "openrlhf" / "ckpt").exists()
    rows = (tmp_path / "out" / "openrlhf" / "steps.jsonl").read_text().splitlines()
    assert [json.loads(row)["step"] for row in rows] == [1, 2, 3]


def test_a_generator_of_another_family_is_asked_as_it_is_used_to(
    generator: Trained, tmp_path: Path, python: str
) -> None:
    parent = make_causal_lm(tmp_path / "plain", context=1024)
    adopt(parent, None, None)
    name = "deepseek-prover-v2-resumed"
    spec = _spec(python, generator__checkpoint=str(parent), generator__prompt=name)
    made = stage.Training(spec, parent, generator.problems, seed=7)
    train(made, generator, tmp_path)
    row = json.loads((tmp_path / "out" / "openrlhf" / "prompts.jsonl").read_text().splitlines()[0])
    problem = next(item for item in generator.problems if row["label"]["problem"].startswith(f"{item.id}@"))
    ask = family(name).proof
    assert ask is not None and row["prompt"] == ask(problem).messages[0].content
    settings = json.loads((tmp_path / "out" / "openrlhf" / "reward.json").read_text())
    assert settings["end"] == "<|end|>"
    assert sealed.read(tmp_path / "out").prompt_format == sealed.read(parent).prompt_format == OTHER_PROMPTS


def test_the_rows_are_a_multiple_of_the_prompts_and_cover_the_band(
    generator: Trained, tmp_path: Path, python: str
) -> None:
    train(work(generator, python), generator, tmp_path)
    lines = (tmp_path / "out" / "openrlhf" / "prompts.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == 8 * 3
    assert all(row["prompt"].endswith("<sep>") for row in rows)
    band = [problem for problem in generator.problems if (problem.difficulty or 0) <= 3]
    counts = Counter(row["label"]["problem"] for row in rows)
    assert len(counts) == min(len(band), 24)


def test_evaluations_during_training_are_on_theorems_left_out(
    generator: Trained, tmp_path: Path, python: str
) -> None:
    calls: Calls = []
    more = {"improve__openrlhf__evaluate_every": 1, "improve__openrlhf__evaluate_problems": 5}
    train(work(generator, python, **more), generator, tmp_path, calls)
    assert calls[1][2]["held_out_pass1"] == 0.5
    assert "held_out_pass1" not in calls[2][2]
    folder = tmp_path / "out" / "openrlhf"
    names = [
        {json.loads(line)["label"]["problem"] for line in (folder / file).read_text().splitlines()}
        for file in ("held_out.jsonl", "prompts.jsonl")
    ]
    assert len(names[0]) == 5 and not names[0] & names[1]


def test_rows_repeat_in_new_orders() -> None:
    rows = [{"n": n} for n in range(5)]
    found = [row["n"] for row in stage.repeated(rows, 12, seed=1)]
    assert sorted(found[:5]) == sorted(found[5:10]) == [0, 1, 2, 3, 4]
    assert found[:5] != found[5:10]
    assert found == [row["n"] for row in stage.repeated(rows, 12, seed=1)]
    assert found != [row["n"] for row in stage.repeated(rows, 12, seed=2)]
    kept, out = stage.split(rows, 2, seed=0)
    assert len(kept) == 3 and len(out) == 2 and not [row for row in out if row in kept]
    with pytest.raises(UserError, match="5 of 5 theorems leave none"):
        stage.split(rows, 5, seed=0)


def test_a_killed_training_goes_on_from_its_checkpoint(
    generator: Trained, tmp_path: Path, python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = work(generator, python)
    monkeypatch.setenv("STUB_DIES_AFTER", "2")
    calls: Calls = []
    with pytest.raises(launch.Ended, match="exit code 137"):
        train(made, generator, tmp_path, calls)
    monkeypatch.delenv("STUB_DIES_AFTER")
    train(made, generator, tmp_path, calls)
    assert [call[0] for call in calls] == [1, 2, 3]


def test_a_training_that_changes_nothing_is_no_training(
    generator: Trained, tmp_path: Path, python: str
) -> None:
    same = tmp_path / "same"
    same.mkdir()
    for file in generator.path.iterdir():
        (same / file.name).write_bytes(file.read_bytes())
    with pytest.raises(InfraError, match="not one weight differs"):
        checkpoints.adopt(same, generator.path, tmp_path / "out", {})


def test_half_a_model_is_not_complete(generator: Trained, tmp_path: Path) -> None:
    for number, spoil in enumerate(("model.safetensors", "config.json", "tokenizer_config.json", None)):
        folder = tmp_path / f"global_step{number}_hf"
        folder.mkdir()
        for file in generator.path.iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
        if spoil == "model.safetensors":
            os.truncate(folder / spoil, 1000)
        elif spoil:
            (folder / spoil).unlink()
    assert [step for step, _ in checkpoints.saved(tmp_path)] == [3]
    (tmp_path / "global_step3_hf").rename(tmp_path / "global_step10_hf")
    checkpoints.prune(tmp_path, 1)
    assert [step for step, _ in checkpoints.saved(tmp_path)] == [10]


def test_shards_are_believed_when_all_are_there(generator: Trained, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(generator.path / "model.safetensors")
    names = sorted(weights)
    halves = {"a.safetensors": names[:3], "b.safetensors": names[3:]}
    for file in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / file).write_bytes((generator.path / file).read_bytes())
    for file, part in halves.items():
        save_file({name: weights[name] + 1 for name in part}, tmp_path / file)
    index = {"weight_map": {name: file for file, part in halves.items() for name in part}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert checkpoints.complete(tmp_path)
    (tmp_path / "b.safetensors").rename(tmp_path / "hidden")
    assert not checkpoints.complete(tmp_path)
    (tmp_path / "hidden").rename(tmp_path / "b.safetensors")
    assert checkpoints.adopt(tmp_path, generator.path, tmp_path / "out", {}) > 0.5
    sealed.intact(tmp_path / "out", "generator")


def test_only_a_whole_deepspeed_checkpoint_is_resumed(tmp_path: Path) -> None:
    import torch

    assert checkpoints.resumable(tmp_path / "_actor") == 0
    state = tmp_path / "_actor" / "global_step4"
    state.mkdir(parents=True)
    (tmp_path / "_actor" / "latest").write_text("global_step4")
    assert checkpoints.resumable(tmp_path / "_actor") == 0
    torch.save({}, state / "mp_rank_00_model_states.pt")
    torch.save({}, state / "zero_pp_rank_0_mp_rank_00_optim_states.pt")
    assert checkpoints.resumable(tmp_path / "_actor") == 4
    os.truncate(state / "zero_pp_rank_0_mp_rank_00_optim_states.pt", 100)
    assert checkpoints.resumable(tmp_path / "_actor") == 0
