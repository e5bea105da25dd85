"""A prover small enough for two CPU cores that is asked like the published ones: chat template and all.

A Llama of two layers, warm-started on the easy gold proofs of the project's own curriculum in two formats:
whole proofs as DeepSeek-Prover-V2 is asked for them without a plan (only the tactics are written: a model so
small copies no statement), tactics as BFS-Prover is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from harness.benchmarks.loading import load
from harness.lean.services.opening import open_services
from harness.prompts.prompt import Situation
from harness.prompts.registry import family
from harness.spec import LeanSpec
from harness.types import Problem
from tests.tiny_models import llama_config, make_tokenizer
from trainers import fitting
from trainers.examples import ProofStep, replay, tactics_of

WHOLE, STEP = family("deepseek-prover-v2-non-cot"), family("bfs-prover")
CONTEXT = 512
HARDEST = 5
"""Gold proofs of more tactics are left out: search has to find longer ones itself."""


def make_prover(path: Path, steps: int, threads: int = 2, seed: int = 0) -> dict[str, float]:
    """Train the model and save it with its tokenizer in the folder `path`; returns what training reported."""
    import torch
    from transformers import LlamaForCausalLM

    problems = [item for item in load("core-curriculum", "train") if (item.difficulty or 99) <= HARDEST]
    pairs = asyncio.run(_pairs(problems))
    tokenizer = make_tokenizer(path, [text for pair in pairs for text in pair], vocabulary=1024)
    rows = [_encode(tokenizer, pair) for pair in pairs]
    rows = [row for row in rows if len(row[0]) + len(row[1]) <= CONTEXT]
    with fitting.repeatable(seed, threads):
        config = llama_config(
            len(tokenizer),
            CONTEXT,
            hidden_size=96,
            intermediate_size=256,
            num_attention_heads=3,
            num_key_value_heads=3,
            tie_word_embeddings=True,
        )
        model = LlamaForCausalLM(config)
        plan = fitting.Schedule(steps, 32, 3e-3, seed=seed)
        loss = fitting.fit(model, _loss(model, rows), [len(a) + len(b) for a, b in rows], plan, _say)
    model.to(torch.float32).save_pretrained(path)
    return {"loss": loss, "examples": float(len(rows)), "theorems": float(len(problems))}


async def _pairs(problems: Sequence[Problem]) -> list[tuple[str, str]]:
    """(what the model reads, what it shall write), without repeats."""
    sessions = open_services(LeanSpec(service="core")).sessions
    found: dict[tuple[str, str], None] = {}
    for problem in problems:
        steps = await replay(sessions, problem, problem.gold or "")
        if steps is not None:
            found[_whole(problem)] = None
            found |= dict.fromkeys(_tactics(steps))
    return list(found)


def _whole(problem: Problem) -> tuple[str, str]:
    assert WHOLE.proof is not None
    [message] = WHOLE.proof(problem).messages
    proof = "\n".join("  " + line for tactic in tactics_of(problem.gold or "") for line in tactic.split("\n"))
    asked = f"<|user|>{message.content}<|end|><|assistant|>"
    return asked, f"```lean4\n{proof}\n```<|end|>"


def _tactics(steps: Sequence[ProofStep]) -> list[tuple[str, str]]:
    assert STEP.tactic is not None
    return [(STEP.tactic(Situation(step.goals)).text, f"{step.tactic}<|end|>") for step in steps]


def _encode(tokenizer: Any, pair: tuple[str, str]) -> tuple[list[int], list[int]]:
    return tokenizer(pair[0]).input_ids, tokenizer(pair[1]).input_ids


def _loss(model: Any, rows: Sequence[tuple[list[int], list[int]]]) -> Any:
    def loss_of(batch: list[int]) -> Tensor:
        ids = fitting.pad([rows[i][0] + rows[i][1] for i in batch], 0)
        labels = fitting.pad([[-100] * len(rows[i][0]) + rows[i][1] for i in batch], -100)
        hidden = model.model(input_ids=ids).last_hidden_state[:, :-1]
        wanted = labels[:, 1:] != -100
        return F.cross_entropy(model.lm_head(hidden[wanted]), labels[:, 1:][wanted])

    return loss_of


def _say(done: int, total: int, figures: dict[str, float]) -> None:
    if done % 250 == 0 or done == total:
        print(f"  training step {done} of {total}, loss {figures['loss']:.3f}", flush=True)
