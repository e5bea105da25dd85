"""GRPO through TRL on toy theorems: settings reach it, rewards are verdicts, the policy loads the result."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import torch

from harness import checkpoints, extras
from harness.errors import UserError
from harness.experiment.spec import GrpoSpec, ImproveSpec, LoraSpec
from harness.policies.local import LocalPolicy
from harness.spec import DecodeSpec, WholeProofSpec
from harness.types import Level
from tests.conftest import Trained
from tests.toy_logic import World
from trainers import grpo, grpo_prompts, grpo_resume

Outcome = tuple[Path, grpo.Metrics, list[Any]]
SPEC = GrpoSpec(samples=4, prompts=8, steps=6, kl=0.05, learning_rate=1e-3, max_difficulty=6)


def run(
    generator: Trained, out: Path, spec: GrpoSpec = SPEC, world: World | None = None, seed: int = 0
) -> tuple[grpo.Metrics, list[tuple[int, int, dict[str, float]]]]:
    judged = world or generator.world
    calls: list[tuple[int, int, dict[str, float]]] = []
    metrics = grpo.train(
        spec,
        generator.path,
        generator.problems,
        grpo.Rewarding(judged, judged, max_new_tokens=24),
        seed=seed,
        threads=1,
        out=out,
        progress=lambda *call: calls.append(call),
    )
    return metrics, calls


@pytest.fixture(scope="module")
def trained(generator: Trained, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    out = tmp_path_factory.mktemp("grpo") / "checkpoint"
    generator.world.checked.clear()
    metrics, calls = run(generator, out)
    return out, metrics, calls


def test_the_reward_is_the_verifiers_at_the_fast_level(generator: Trained, trained: Outcome) -> None:
    _, metrics, calls = trained
    assert generator.world.checked == [Level.FAST] * SPEC.steps
    assert [call[:2] for call in calls] == [(n, 6) for n in range(1, 7)]
    assert 0.2 < calls[0][2]["reward"] <= 1.0
    assert metrics["reward_first"] == calls[0][2]["reward"]
    assert metrics["reward_last"] == calls[-1][2]["reward"]
    assert metrics["unscored"] == 0


def test_adapters_are_trained_alone_cut_off_gone_on_with_and_merged(
    generator: Trained, tmp_path: Path
) -> None:
    pytest.importorskip("peft")
    spec = SPEC.model_copy(update={"steps": 3})
    where = grpo.StepSettings(lora=LoraSpec(rank=4, alpha=8), save_s=0.0)

    def train(out: Path, die_at: int = 0) -> list[tuple[int, dict[str, float]]]:
        told: list[tuple[int, dict[str, float]]] = []

        def progress(done: int, total: int, figures: dict[str, float]) -> None:
            told.append((done, figures))
            if done == die_at:
                raise KeyboardInterrupt

        judge = grpo.Rewarding(generator.world, generator.world, max_new_tokens=24)
        more: dict[str, Any] = {"seed": 0, "threads": 1, "out": out, "progress": progress, "where": where}
        grpo.train(spec, generator.path, generator.problems, judge, **more)
        return told

    whole = train(tmp_path / "whole")
    assert whole[0][1]["kl"] == pytest.approx(0.0, abs=1e-6) and whole[-1][1]["kl"] != 0.0
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut", die_at=3)
    steps = [done for done, _ in train(tmp_path / "cut")]
    assert steps in ([3], [2, 3]), "it does not begin again"
    trained, other = (checkpoints.weights(tmp_path / name) for name in ("whole", "cut"))
    parent = checkpoints.weights(generator.path)
    assert trained.keys() == parent.keys(), "no adapter is left beside the weights"
    moved = {name for name in parent if not torch.equal(trained[name], parent[name])}
    assert moved and all("proj" in name for name in moved)
    assert all(torch.equal(trained[name], other[name]) for name in parent)


def test_vllm_is_not_asked_for_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    assert grpo._generation(grpo.StepSettings()) == {"use_vllm": False}
    monkeypatch.setattr(extras, "need", lambda extra: None)
    with pytest.raises(UserError, match=r"improve\.vllm_memory: needs a GPU"):
        grpo.StepSettings.of(ImproveSpec(vllm_memory=0.3), "cpu")
    assert grpo.StepSettings.of(ImproveSpec(vllm_memory=0.3, bf16=True), "cuda").vllm_memory == 0.3


def test_trl_takes_the_settings_of_vllm_and_hands_them_to_it(
    generator: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to where vLLM would load the model: TRL's own settings class and trainer, its engine replaced."""
    from transformers import HfArgumentParser
    from trl import GRPOConfig
    from trl.trainer import grpo_trainer

    told: dict[str, Any] = {}

    class Asked(Exception):
        pass

    def engine(**settings: Any) -> None:
        told.update(settings)
        raise Asked

    where = grpo.StepSettings(vllm_memory=0.3, accumulation=2)
    (read,) = HfArgumentParser(GRPOConfig).parse_dict(
        {"output_dir": str(tmp_path), "use_cpu": True, **grpo._generation(where)}
    )
    assert (read.use_vllm, read.vllm_mode, read.vllm_gpu_memory_utilization) == (True, "colocate", 0.3)
    monkeypatch.setattr(grpo_trainer, "VLLMGeneration", engine)
    judge = grpo.Rewarding(generator.world, generator.world, max_new_tokens=24)
    spec = SPEC.model_copy(update={"temperature": 0.7})
    with asyncio.Runner() as runner, pytest.raises(Asked):
        course = grpo._Course(1, lambda *_: None)
        work = grpo._Work(spec, generator.path, generator.problems, judge, runner, course, 0, where)
        grpo._trainer(work, tmp_path)
    settings = ("mode", "gpu_memory_utilization", "tensor_parallel_size")
    assert [told[name] for name in settings] == ["colocate", 0.3, 1]
    assert told["model"].name_or_path == str(generator.path), "vLLM loads it by that"
    assert told["max_num_seqs"] == SPEC.samples * SPEC.prompts
    assert (told["temperature"], told["max_completion_length"]) == (0.7, 24)


def test_the_kl_term_is_measured_against_the_parent(trained: Outcome) -> None:
    _, metrics, calls = trained
    assert calls[0][2]["kl"] == pytest.approx(0.0, abs=1e-6)
    assert calls[-1][2]["kl"] > 1e-4
    assert metrics["kl"] == calls[-1][2]["kl"]
    assert metrics["entropy_first"] is not None and metrics["entropy_first"] > 0
    assert metrics["frac_reward_zero_std_last"] is not None


def test_the_policy_loads_the_result(generator: Trained, trained: Outcome) -> None:
    out, metrics, _ = trained
    sealed = checkpoints.read(out, "generator")
    parent = checkpoints.read(generator.path)
    assert sealed.parent == parent.weights != sealed.weights
    assert sealed.metrics == metrics
    made = LocalPolicy(out, DecodeSpec(), WholeProofSpec(max_new_tokens=24), generator.world, threads=1)
    (sample,) = asyncio.run(made.sample(generator.problems[:1], [0]))
    assert sample.proof


def test_settings_reach_trl(tmp_path: Path) -> None:
    spec = GrpoSpec(kl=0.01, samples=4, prompts=2, clip_low=0.1, clip_high=0.3, temperature=0.7, steps=3)
    made = grpo._config(spec, limit=24, seed=5, scratch=tmp_path)
    assert (made.beta, made.num_generations, made.generation_batch_size) == (0.01, 4, 8)
    assert (made.epsilon, made.epsilon_high, made.temperature, made.max_steps) == (0.1, 0.3, 0.7, 3)
    assert (made.loss_type, made.max_completion_length, made.seed, made.bf16) == ("dapo", 24, 5, False)


def test_where_reaches_trl(tmp_path: Path) -> None:
    spec = GrpoSpec(samples=4, prompts=6, steps=3)
    made = grpo._config(spec, 24, 5, tmp_path, grpo.StepSettings("cpu", bf16=False, accumulation=3))
    assert (made.per_device_train_batch_size, made.gradient_accumulation_steps) == (8, 3)
    assert made.generation_batch_size == 24
    assert made.use_cpu and not made.bf16
    assert not grpo._config(spec, 24, 5, tmp_path, grpo.StepSettings("cpu", bf16=True)).bf16
    made = grpo._config(spec, 24, 5, tmp_path, grpo.StepSettings("cuda"))
    assert not made.use_cpu


def test_a_step_in_parts_is_nearly_the_same_step(generator: Trained, tmp_path: Path) -> None:
    spec = SPEC.model_copy(update={"steps": 1, "kl": 0.0})
    weights = {}
    for parts in (1, 4):
        out = tmp_path / str(parts)
        grpo.train(
            spec,
            generator.path,
            generator.problems,
            grpo.Rewarding(generator.world, generator.world, max_new_tokens=24),
            seed=0,
            threads=1,
            out=out,
            progress=lambda *_: None,
            where=grpo.StepSettings(accumulation=parts),
        )
        weights[parts] = checkpoints.weights(out)
    for name, tensor in weights[1].items():
        assert (tensor - weights[4][name]).abs().max() < 2e-3  # twice the learning rate, Adam's first step
    with pytest.raises(UserError, match=r"improve\.accumulation: 8 prompts x 4 samples cannot be cut in 5"):
        grpo.train(
            spec,
            generator.path,
            generator.problems,
            grpo.Rewarding(generator.world, generator.world),
            seed=0,
            threads=1,
            out=tmp_path / "no",
            progress=lambda *_: None,
            where=grpo.StepSettings(accumulation=5),
        )


def test_same_seed_same_weights_and_kl_changes_them(generator: Trained, tmp_path: Path) -> None:
    weights = []
    for name, kl, seed in (("a", 0.0, 1), ("b", 0.0, 1), ("c", 0.5, 1), ("d", 0.0, 2)):
        spec = SPEC.model_copy(update={"kl": kl, "steps": 3})
        metrics, _ = run(generator, tmp_path / name, spec, seed=seed)
        assert (metrics["kl"] is None) == (kl == 0)
        weights.append(checkpoints.read(tmp_path / name).weights)
    assert weights[0] == weights[1]
    assert len(set(weights)) == 3


@pytest.mark.parametrize(("theorems", "killed_at"), [(1000, 3), (12, 4), (12, 6)])
def test_a_killed_training_goes_on_to_the_same_weights(
    generator: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theorems: int, killed_at: int
) -> None:
    """Twelve theorems are gone through in three steps, then again in another order."""
    spec = SPEC.model_copy(update={"steps": 7, "prompts": 4, "samples": 2})
    problems = grpo_prompts.band(spec, generator.problems)[:theorems]
    steps: list[tuple[int, dict[str, float]]] = []
    monkeypatch.setattr(grpo_resume, "_SHARE", 0)  # a checkpoint after every step, however long it takes

    def go(out: Path, kill: int = 0) -> grpo.Metrics:
        def progress(step: int, _: int, figures: dict[str, float]) -> None:
            if step == kill:
                raise KeyboardInterrupt
            steps.append((step, figures))

        judge = grpo.Rewarding(generator.world, generator.world, max_new_tokens=24)
        where = grpo.StepSettings(save_s=0.0 if kill else 3600.0)
        return grpo.train(
            *(spec, generator.path, problems, judge),
            **{"seed": 1, "threads": 1, "out": out, "progress": progress, "where": where},
        )

    whole, killed = tmp_path / "whole", tmp_path / "killed"
    metrics = go(whole)
    uninterrupted = steps.copy()
    steps.clear()
    with pytest.raises(KeyboardInterrupt):
        go(killed, killed_at)
    assert [path.name for path in (killed / grpo_resume.FOLDER).glob("checkpoint-*")] == [
        f"checkpoint-{killed_at - 1}"
    ]
    # What a kill in the middle of writing one leaves is not taken for a checkpoint.
    (killed / grpo_resume.FOLDER / "checkpoint-6").mkdir()
    resumed = go(killed)
    assert steps == uninterrupted
    assert checkpoints.read(killed).weights == checkpoints.read(whole).weights
    timed = ("seconds", "seconds_per_step")
    assert {k: v for k, v in resumed.items() if k not in timed} == {
        k: v for k, v in metrics.items() if k not in timed
    }
    assert sorted(p.name for p in killed.iterdir()) == sorted(p.name for p in whole.iterdir())


def test_what_the_machine_failed_to_judge_teaches_nothing(generator: Trained, tmp_path: Path) -> None:
    every = frozenset(problem.id for problem in generator.problems)
    world = World(goals=generator.world.goals, broken=every)
    spec = SPEC.model_copy(update={"kl": 0.0, "steps": 2, "weight_decay": 0.0})
    metrics, _ = run(generator, tmp_path / "out", spec, world)
    assert metrics["unscored"] == 2 * spec.samples * spec.prompts
    assert checkpoints.read(tmp_path / "out").weights == checkpoints.read(generator.path).weights


def test_an_empty_band_is_the_users_mistake(generator: Trained, tmp_path: Path) -> None:
    spec = SPEC.model_copy(update={"min_difficulty": 50, "max_difficulty": 60})
    with pytest.raises(UserError, match=r"grpo\.max_difficulty: no training theorem is graded 50 to 60"):
        run(generator, tmp_path / "out", spec)


def test_format_shaping_is_part_of_the_local_reward(generator: Trained) -> None:
    problem = generator.problems[0]
    with asyncio.Runner() as runner:

        def rewards(penalty: float) -> list[float | None]:
            spec = SPEC.model_copy(update={"format_penalty": penalty})
            judge, course = grpo.Rewarding(generator.world, generator.world), grpo._Course(1, lambda *_: None)
            work = grpo._Work(spec, Path(), [problem], judge, runner, course, 0, grpo.StepSettings())
            return grpo._reward_function(work)(["", "nonsense", f"{problem.gold}\n"], place=[0, 0, 0])

        assert rewards(0.0) == [0.0, 0.0, 1.0]
        assert rewards(0.5) == [-0.5, 0.0, 1.0]


def test_format_shaping_that_is_off_changes_no_digest() -> None:
    assert GrpoSpec().model_dump() == GrpoSpec(format_penalty=0.0).model_dump()
    assert "format_penalty" not in GrpoSpec().model_dump()
    assert GrpoSpec(format_penalty=0.1).model_dump()["format_penalty"] == 0.1
