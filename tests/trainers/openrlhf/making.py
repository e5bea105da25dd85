"""Experiments and layouts for the tests of plans."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.experiment.spec import ExperimentSpec, build
from harness.nested import override
from trainers.openrlhf.plan import Layout

BASE: dict[str, Any] = {
    "name": "node",
    "lean": {"service": "core"},
    "train": {"benchmark": "core-curriculum", "split": "train"},
    "generator": {
        "checkpoint": "deepseek-ai/DeepSeek-Prover-V2-7B",
        "hidden_size": 4096,
        "layers": 30,
        "heads": 32,
        "vocab_size": 102400,
        "context": 8192,
    },
    "improve": {"backend": "openrlhf", "openrlhf": {"chat_template": True}},
    "grpo": {"samples": 8, "prompts": 64, "steps": 500, "learning_rate": 1e-6},
    "whole_proof": {"max_new_tokens": 4096},
    "evaluations": [
        {"name": "whole", "prover": "whole_proof", "problems": {"benchmark": "smoke", "split": "test"}}
    ],
    "node": {"gpus": 8, "gpu_memory_gb": 140.0, "cpus": 96, "memory_gb": 1024.0, "disk_gb": 1000.0},
}
"""The recipe on eight GPUs."""

ONE_GPU = {
    "generator.checkpoint": None,
    "generator.hidden_size": 512,
    "generator.layers": 8,
    "generator.heads": 8,
    "generator.vocab_size": 512,
    "generator.context": 512,
    "improve.openrlhf": {
        "placement": "colocated",
        "engines": 1,
        "vllm_memory": 0.2,
        "enforce_eager": True,
        "zero_stage": 2,
        "attention": "sdpa",
        "packing": False,
        "micro_batch": 32,
        "gradient_checkpointing": False,
        "save_every": 20,
    },
    "grpo": {"samples": 8, "prompts": 16, "steps": 20},
    "whole_proof": {"max_new_tokens": 64},
    "node": {"gpus": 1, "gpu_memory_gb": 80.0, "cpus": 8, "memory_gb": 64.0},
}


def spec(**changes: Any) -> ExperimentSpec:
    """The recipe with dotted keys changed; dots are written as two underscores."""
    return changed({key.replace("__", "."): value for key, value in changes.items()})


def changed(changes: dict[str, Any]) -> ExperimentSpec:
    data = BASE
    for key, value in changes.items():
        data = override(data, key, value)
    return build(data, "node.yaml")


def layout(**changes: Any) -> Layout:
    given: dict[str, Any] = {
        "run": Path("/runs/x"),
        "model": "/models/prover",
        "python": "/venv/bin/python",
        "scratch": Path("/tmp/hr1"),
        "context": 6144,
        "max_new_tokens": 4096,
        "seed": 42,
    }
    return Layout(**given | changes)
