"""The optimisation loop that the warm start, expert iteration and the value model share."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Progress = Callable[[int, int, dict[str, float]], None]
"""Called with (steps done, steps in all, figures so far)."""

_REPORT_EVERY = 25
_BUCKET = 16
"""Batches whose examples are sorted by length together, to save padding."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """AdamW with linear warm-up and cosine decay to zero."""

    steps: int
    batch_size: int
    learning_rate: float
    warmup_steps: int = 50
    weight_decay: float = 0.01
    seed: int = 0

    def rate(self, step: int) -> float:
        """Learning rate of the 0-based `step`."""
        warm = min(self.warmup_steps, self.steps // 10)
        if step < warm:
            return self.learning_rate * (step + 1) / warm
        share = (step - warm) / max(1, self.steps - warm)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * share))


@contextmanager
def repeatable(seed: int, threads: int, device: str = "cpu") -> Iterator[None]:
    """Seed torch and pin its threads; two runs inside give the same weights on the same machine.

    A GPU's kernels are asked for the same; the few that cannot are used all the same.

    Also silences the progress bars of transformers for good: progress goes through the callback alone.
    """
    from transformers.utils import logging

    logging.disable_progress_bar()
    torch.set_num_threads(threads)
    before = torch.are_deterministic_algorithms_enabled()
    if device != "cpu":
        # cuBLAS reads it when it is first used, and repeats itself with a fixed workspace alone.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=device != "cpu")
    try:
        with torch.random.fork_rng(devices=[] if device == "cpu" else [torch.cuda.current_device()]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.use_deterministic_algorithms(before)


def batches(lengths: Sequence[int], batch_size: int, seed: int) -> Iterator[list[int]]:
    """Endless batches of indices: every epoch a new order, neighbours in a batch of similar length.

    Each epoch holds every index once; its last batch may be smaller.
    """
    generator = torch.Generator().manual_seed(seed)
    while True:
        order = torch.randperm(len(lengths), generator=generator).tolist()
        cut: list[list[int]] = []
        for start in range(0, len(order), batch_size * _BUCKET):
            bucket = sorted(order[start : start + batch_size * _BUCKET], key=lambda index: lengths[index])
            cut += [bucket[i : i + batch_size] for i in range(0, len(bucket), batch_size)]
        for place in torch.randperm(len(cut), generator=generator).tolist():
            yield cut[place]


def pad(rows: Sequence[Sequence[int]], filling: int, device: str = "cpu") -> Tensor:
    """(rows, longest) int64, padded on the right, where causal attention cannot see it."""
    width = max(len(row) for row in rows)
    return torch.tensor([[*row, *[filling] * (width - len(row))] for row in rows], device=device)


def fit(
    model: Any,
    loss_of: Callable[[list[int]], Tensor],
    lengths: Sequence[int],
    plan: Schedule,
    progress: Progress,
) -> float:
    """Run `plan` on `model`; `loss_of` gives the mean loss of the examples with these indices.

    Returns the mean loss over the last tenth of the steps (0.0 for a plan without steps).
    """
    matrices = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": plan.weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=plan.learning_rate,
        betas=(0.9, 0.98),
        fused=True,
    )
    model.train()
    losses: list[float] = []
    order = batches(lengths, plan.batch_size, plan.seed)
    for step in range(plan.steps):
        for group in optimizer.param_groups:
            group["lr"] = plan.rate(step)
        loss = loss_of(next(order))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        if (step + 1) % _REPORT_EVERY == 0 or step + 1 == plan.steps:
            recent = losses[-_REPORT_EVERY:]
            progress(step + 1, plan.steps, {"loss": sum(recent) / len(recent), "lr": plan.rate(step)})
    model.eval()
    tail = losses[-max(1, len(losses) // 10) :]
    return sum(tail) / len(tail) if tail else 0.0
