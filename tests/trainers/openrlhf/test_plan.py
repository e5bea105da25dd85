"""Argument lists: word for word, and as the wheel's own parser takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.experiment.spec import ExperimentSpec
from tests.trainers.openrlhf import contract
from tests.trainers.openrlhf.making import ONE_GPU, changed, layout, spec
from trainers.openrlhf.plan import AGENT, CLI, arguments, gpus_used, trainer, training_gpus

COLOCATED = {"placement": "colocated", "engines": 8, "vllm_memory": 0.55, "chat_template": True}
CASES: dict[str, tuple[ExperimentSpec, dict[str, Any]]] = {
    "split": (spec(), {}),
    "split-kl": (spec(grpo__kl=0.001), {}),
    "colocated": (spec(improve__openrlhf=COLOCATED), {}),
    "colocated-kl": (spec(improve__openrlhf=COLOCATED, grpo__kl=0.0001), {}),
    "resumed": (spec(), {"resume": True}),
    "evaluating": (spec(improve__openrlhf__evaluate_every=10), {}),
    "filtering": (spec(improve__openrlhf__dynamic_filter=True, improve__openrlhf__overlong_tokens=512), {}),
    "one-gpu": (changed(ONE_GPU), {"context": 512, "max_new_tokens": 64}),
    "one-gpu-kl": (changed(ONE_GPU | {"grpo.kl": 0.001}), {"context": 512, "max_new_tokens": 64}),
}

RECIPE = f"""
--actor.model_name_or_path /models/prover --train.agent_func_path {AGENT}
--data.prompt_dataset /runs/x/prompts.jsonl --data.input_key prompt --data.label_key label
--data.apply_chat_template --data.max_len 6144 --rollout.max_new_tokens 4096
--rollout.temperature 1.0 --rollout.top_p 1.0 --rollout.batch_size 64 --rollout.n_samples_per_prompt 8
--train.batch_size 512 --train.max_epochs 1 --train.num_episodes 1 --train.seed 42
--algo.advantage.estimator group_norm --actor.eps_clip_low_high 0.2 0.28
--actor.adam.lr 1e-06 --actor.adam.betas 0.9 0.98 --actor.adam.weight_decay 0.01
--actor.lr_scheduler constant --actor.max_norm 1.0 --algo.kl.init_coef 0.0 --actor.entropy_coef 0
--ds.zero_stage 3 --ds.param_dtype bf16 --ds.attn_implementation flash_attention_2
--ds.packing_samples --train.dynamic_batch_enable --train.max_tokens_per_gpu 12288
--rollout.max_tokens_per_gpu 24576 --actor.gradient_checkpointing_enable
--vllm.num_engines 4 --vllm.tensor_parallel_size 1 --vllm.gpu_memory_utilization 0.9
--vllm.sync_backend nccl --vllm.enable_prefix_caching --actor.num_nodes 1 --actor.num_gpus_per_node 4
--ckpt.path /runs/x/ckpt --ckpt.output_dir /runs/x/final --ckpt.save_steps 50 --ckpt.save_hf
--ckpt.max_num 2 --ckpt.best_metric_key none --logger.logging_steps 1
""".split()


def test_the_recipe_word_for_word() -> None:
    assert list(arguments(*_case("split"))) == RECIPE


@pytest.mark.parametrize(
    ("name", "gone", "new"),
    [
        (
            "split-kl",
            ["0.0"],
            "--algo.kl.use_loss --algo.kl.estimator k3 --ref.num_nodes 1 --ref.num_gpus_per_node 4 "
            "--train.colocate_actor_ref 0.001",
        ),
        (
            "colocated",
            ["4", "0.9", "4"],
            "8 0.55 8 --train.colocate_all --vllm.enable_sleep --ds.enable_sleep",
        ),
        (
            "colocated-kl",
            ["4", "0.9", "4", "0.0"],
            "8 0.55 8 --train.colocate_all --vllm.enable_sleep --ds.enable_sleep 0.0001 --algo.kl.use_loss "
            "--algo.kl.estimator k3 --ref.num_nodes 1 --ref.num_gpus_per_node 8",
        ),
        ("resumed", [], "--ckpt.load_enable"),
        (
            "evaluating",
            [],
            "--eval.dataset /runs/x/held_out.jsonl --eval.steps 10 --eval.temperature 1.0 "
            "--eval.n_samples_per_prompt 8",
        ),
        (
            "filtering",
            [],
            "--algo.dynamic_filtering_enable --algo.dynamic_filtering_range 0 1 "
            "--reward.overlong_buffer_len 512",
        ),
    ],
)
def test_what_a_setting_changes_in_the_recipe(name: str, gone: list[str], new: str) -> None:
    assert sorted(arguments(*_case(name))) == sorted(_without(RECIPE, gone) + new.split())


def test_one_gpu_word_for_word() -> None:
    assert " ".join(arguments(*_case("one-gpu"))).endswith(
        "--ds.zero_stage 2 --ds.param_dtype bf16 --ds.attn_implementation sdpa "
        "--train.micro_batch_size 32 --rollout.micro_batch_size 32 "
        "--vllm.num_engines 1 --vllm.tensor_parallel_size 1 --vllm.gpu_memory_utilization 0.2 "
        "--vllm.sync_backend nccl --vllm.enable_prefix_caching --vllm.enforce_eager "
        "--actor.num_nodes 1 --actor.num_gpus_per_node 1 "
        "--train.colocate_all --vllm.enable_sleep --ds.enable_sleep "
        "--ckpt.path /runs/x/ckpt --ckpt.output_dir /runs/x/final --ckpt.save_steps 20 --ckpt.save_hf "
        "--ckpt.max_num 2 --ckpt.best_metric_key none --logger.logging_steps 1"
    )


@pytest.mark.parametrize("name", CASES)
def test_the_wheels_own_parser_takes_it(name: str) -> None:
    folder = contract.package()
    if folder is None:
        pytest.skip(
            f"no openrlhf; pip install --no-deps --target DIR openrlhf==0.11.2, {contract.VARIABLE}=DIR"
        )
    experiment, _ = CASES[name]
    taken = contract.accepted(folder, "train_ppo_ray", arguments(*_case(name)))
    assert taken.algo.kl.init_coef == experiment.grpo.kl
    assert taken.actor.eps_clip_low_high == [0.2, 0.28]
    assert taken.rollout.batch_size * taken.rollout.n_samples_per_prompt == taken.train.batch_size
    if experiment.grpo.kl > 0:
        assert taken.ref.num_gpus_per_node == taken.actor.num_gpus_per_node
        assert taken.train.colocate_all or taken.train.colocate_actor_ref
    assert taken.train.dynamic_batch_enable == experiment.improve.openrlhf.packing
    assert taken.reward.remote_url is None or taken.train.agent_func_path


def test_the_parser_refuses_what_it_does_not_know() -> None:
    folder = contract.package()
    if folder is None:
        pytest.skip("no openrlhf")
    for extra in (["--actor.learning_rate", "1"], ["--algo.advantage.estimator", "grpo"]):
        with pytest.raises(ValueError, match="train_ppo_ray: 2: "):
            contract.accepted(folder, "train_ppo_ray", [*RECIPE, *extra])


def test_the_process_names_its_files_gpus_and_variables() -> None:
    process = trainer(*_case("evaluating"))
    assert process.argv[:3] == ("/venv/bin/python", "-m", CLI)
    assert process.gpus == (0, 1, 2, 3, 4, 5, 6, 7)
    assert process.cpus == 9
    assert [path.name for path in process.files] == [
        *("prompts.jsonl", "problems.jsonl", "reward.json", "held_out.jsonl"),
    ]
    assert process.environment["HARNESS_REWARD"] == "/runs/x/reward.json"
    assert "RAY_ADDRESS" in process.dropped
    assert not any("KEY" in name for name in process.environment)


def test_gpus_by_placement() -> None:
    assert (gpus_used(spec()), training_gpus(spec())) == (8, 4)
    together = spec(improve__openrlhf=COLOCATED)
    assert (gpus_used(together), training_gpus(together)) == (8, 8)
    assert AGENT.is_file() and AGENT.is_absolute()


def _case(name: str) -> tuple[ExperimentSpec, Any]:
    experiment, changes = CASES[name]
    return experiment, layout(**changes)


def _without(words: list[str], gone: list[str]) -> list[str]:
    left = list(words)
    for word in gone:
        left.remove(word)
    return left


def test_the_wheel_is_looked_for_where_the_variable_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(contract.VARIABLE, str(tmp_path))
    assert contract.package() is None
    (tmp_path / "openrlhf").mkdir()
    assert contract.package() == tmp_path / "openrlhf"
