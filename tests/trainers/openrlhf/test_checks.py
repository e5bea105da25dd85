"""What cannot work is told before anything starts, in one line that names the key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import SpecError
from harness.experiment.interpreters import UNKNOWN
from tests.trainers.openrlhf.making import ONE_GPU, changed, spec
from trainers.openrlhf import checks, model_size
from trainers.openrlhf.model_size import shape_of

TAUGHT = {"improve.method": "expert_iteration", "expert_iteration.batch_size": 64}
FINE = [
    spec(),
    changed(TAUGHT),
    changed(ONE_GPU | TAUGHT),
    spec(grpo__kl=0.001),
    changed(ONE_GPU),
    changed(ONE_GPU | {"grpo.kl": 0.01}),
]


@pytest.mark.parametrize("number", range(len(FINE)))
def test_the_profiles_pass(number: int) -> None:
    assert checks.arithmetic(FINE[number]) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"node.gpus": 4},
            "node.gpus: 4 are there and improve.openrlhf asks for 8 (4 to train + 4 engines x 1)",
        ),
        ({"node.cpus": 8}, "node.cpus: 8 are there and Ray wants 9"),
        (
            {"improve.openrlhf.tensor_parallel": 3, "node.gpus": 16},
            "improve.openrlhf.tensor_parallel: 32 heads cannot be shared by 3 GPUs",
        ),
        (
            {"improve.openrlhf.packing": False, "grpo.prompts": 3},
            "grpo.prompts: 3 x 8 samples cannot be shared by 4 GPUs in passes of "
            "improve.openrlhf.micro_batch (4); make it a multiple of 16",
        ),
        ({"grpo.prompts": 1, "grpo.samples": 2}, "grpo.prompts: 1 x 2 samples are fewer than the 4 GPUs"),
        ({"whole_proof.max_new_tokens": 8192}, "whole_proof.max_new_tokens: 8192 leaves no room"),
        ({"improve.openrlhf.overlong_tokens": 9000}, "improve.openrlhf.overlong_tokens: 9000 is above"),
        ({"improve.openrlhf.train_tokens_per_gpu": 4096}, "improve.openrlhf.train_tokens_per_gpu: 4096"),
        ({"node.gpu_memory_gb": 24.0}, "node.gpu_memory_gb: training needs about 25 GiB a GPU"),
        ({"improve.openrlhf.vllm_memory": 0.1}, "improve.openrlhf.vllm_memory: an engine's 14.0 GiB"),
        (
            {"improve.openrlhf": {"placement": "colocated", "engines": 8}, "node.memory_gb": 200.0},
            "node.memory_gb: colocated engines and Adam asleep take",
        ),
        ({"node.disk_gb": 100.0}, "node.disk_gb: 2 checkpoints and the models beside them take"),
        (
            {"improve.method": "expert_iteration", "expert_iteration.batch_size": 48},
            "expert_iteration.batch_size: 48 cannot be shared by 8 GPUs in passes of "
            "improve.openrlhf.micro_batch (4); make it a multiple of 32",
        ),
        (
            {"improve.method": "expert_iteration", "node.gpus": 4},
            "node.gpus: 4 are there and improve.openrlhf asks for 8",
        ),
        (
            {"improve.method": "expert_iteration", "node.gpu_memory_gb": 24.0},
            "node.gpu_memory_gb: training needs about 13 GiB a GPU for weights and Adam and 31 for logits",
        ),
    ],
)
def test_what_cannot_fit_is_told(changes: dict[str, Any], told: str) -> None:
    found = checks.arithmetic(changed(changes))
    assert any(line.startswith(told) for line in found), found
    assert not any("\n" in line for line in found)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"attention": "sdpa"}, "packing needs attention: flash_attention_2, not sdpa"),
        ({"packing": False, "dynamic_filter": True}, "dynamic_filter needs packing: true"),
        ({"keep": 1}, "keep: input should be greater than or equal to 2"),
    ],
)
def test_what_excludes_each_other_is_refused_when_read(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError) as caught:
        spec(improve__openrlhf=settings)
    assert told in str(caught.value)


def test_seven_billion_weights(tmp_path: Path) -> None:
    shape = shape_of(spec())
    assert 6.8e9 < shape.parameters < 7.0e9
    assert shape.cache_bytes_per_token == 480 * 1024
    config = {
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "hidden_size": 2048,
        "num_hidden_layers": 16,
        "intermediate_size": 8192,
        "vocab_size": 128256,
        "max_position_embeddings": 131072,
        "tie_word_embeddings": True,
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    named = shape_of(spec(generator__checkpoint=str(tmp_path)))
    assert named.parameters == 1_235_814_400  # Llama-3.2-1B
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(Exception, match="not a Llama's configuration"):
        model_size.read(tmp_path / "config.json")


def test_gpus_in_sight(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert checks.visible_gpus({"CUDA_VISIBLE_DEVICES": "2,3"}) == 2
    assert checks.visible_gpus({"CUDA_VISIBLE_DEVICES": ""}) == 0
    assert checks.visible_gpus({"PATH": str(tmp_path)}) == 0
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'GPU 0: NVIDIA H100'\necho 'GPU 1: NVIDIA H100'\n")
    program.chmod(0o755)
    assert checks.visible_gpus({"PATH": str(tmp_path)}) == 2


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"vllm": None}, "lacks vllm"),
        ({"openrlhf": "0.10.4"}, "OpenRLHF 0.10.4 has other flags than the plan; install 0.11.2"),
        ({"vllm": "0.19.0"}, "vLLM 0.19.0 were never tried together; install vllm==0.29.0"),
        ({"flash_attn": UNKNOWN}, "improve.openrlhf.packing: needs the real flash-attn package"),
        (None, "does not run"),
        ({"vllm": "0.26.0+cu130"}, None),
        ({}, None),
    ],
)
def test_version_pairs(
    monkeypatch: pytest.MonkeyPatch, found: dict[str, str | None] | None, told: str | None
) -> None:
    good = dict.fromkeys((*checks.NEEDED, "flash_attn"), "1")
    good |= {"openrlhf": "0.11.2", "vllm": "0.29.0", "flash_attn": "2.8.3"}
    there = None if found is None else {k: v for k, v in {**good, **found}.items() if v is not None}
    monkeypatch.setattr(checks, "versions", lambda _: there)
    lines = list(checks._packages(spec()))
    assert (not lines) if told is None else (len(lines) == 1 and told in lines[0])


def test_supervised_training_needs_nothing_that_generates(monkeypatch: pytest.MonkeyPatch) -> None:
    there = dict.fromkeys((*checks.NEEDED, "flash_attn"), "1") | {"openrlhf": "0.11.2"}
    there = {name: version for name, version in there.items() if name not in checks.GENERATING}
    monkeypatch.setattr(checks, "versions", lambda _: there)
    assert not list(checks._packages(changed(TAUGHT)))
    [line] = checks._packages(spec())
    assert "lacks vllm, ray" in line


def test_a_lean_server_out_of_reach_is_told() -> None:
    nobody = spec(lean={"service": "kimina", "urls": ["http://127.0.0.1:9"]})
    (line,) = checks._lean(nobody)
    assert line.startswith("lean.urls: http://127.0.0.1:9 cannot be reached (")
    assert not list(checks._lean(spec()))


def test_this_pythons_versions_are_asked_of_it() -> None:
    found = checks.versions(None)
    assert found is not None and found["torch"] and "ray" not in found
    assert checks.versions("/nowhere/python") is None
