"""The optimisation loop that the warm start, expert iteration and the value model share.

A killed training goes on from what it kept on the way (`Saving`), and ends bit for bit as one without a stop.
"""

from __future__ import annotations

import itertools
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils import deterministic

from harness.errors import StoreError, boundary
from harness.files import draft_of

Progress = Callable[[int, int, dict[str, float]], None]
"""Called with (steps done, steps in all, figures so far)."""

SAVE_S = 30.0
"""Seconds between two times that a training keeps what it goes on from, where nothing else is said."""
_SHARE = 20
"""Where keeping takes over a second, the least time between two, in times of what it took."""
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


@dataclass(frozen=True, slots=True)
class Saving:
    """Where a training keeps what it needs to go on from, and how often."""

    path: Path
    every_s: float = SAVE_S
    """Seconds between two times; a training that is shorter keeps nothing."""

    def keep(self, state: Mapping[str, Any]) -> None:
        """Write `state`, the whole file or nothing. Raises `StoreError` when that fails."""
        with boundary(StoreError, f"{self.path}: cannot be written"):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with draft_of(self.path) as draft:
                torch.save(state, draft)

    def kept(self, device: str) -> Mapping[str, Any] | None:
        """What was kept; None where nothing was."""
        if not self.path.is_file():
            return None
        with boundary(StoreError, f"{self.path}: cannot be read; delete it"):
            return torch.load(self.path, map_location=device, weights_only=True)

    def next(self, began: float) -> float:
        """When to keep something again, after a time that began then; of `time.monotonic`."""
        now = time.monotonic()
        took = now - began
        return now + max(self.every_s, _SHARE * took if took > 1 else 0.0)

    def done(self) -> None:
        """Forget it: the result is there."""
        self.path.unlink(missing_ok=True)


def beside(out: Path, every_s: float = SAVE_S) -> Saving:
    """Where a training whose result goes to `out` keeps what it goes on from."""
    return Saving(out / "on_the_way.pt", every_s)


@contextmanager
def repeatable(seed: int, threads: int, device: str = "cpu") -> Iterator[None]:
    """Seed torch and pin its threads; two runs inside give the same weights on the same machine.

    A GPU's kernels are asked for the same; the few that cannot are used all the same.

    Also silences the progress bars of transformers for good: progress goes through the callback alone.
    """
    from transformers.utils import logging

    logging.disable_progress_bar()
    torch.set_num_threads(threads)
    before = torch.are_deterministic_algorithms_enabled(), deterministic.fill_uninitialized_memory
    if device != "cpu":
        # cuBLAS reads it when it is first used, and repeats itself with a fixed workspace alone.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=device != "cpu")
    # No result depends on fresh memory, and filling it is a tenth of the kernels that a small model calls.
    deterministic.fill_uninitialized_memory = False
    try:
        with torch.random.fork_rng(devices=[] if device == "cpu" else [torch.cuda.current_device()]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        deterministic.fill_uninitialized_memory = before[1]


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
    saving: Saving | None = None,
) -> float:
    """Run `plan` on `model`; `loss_of` gives the mean loss of the examples with these indices.

    What an earlier try kept at `saving` is gone on with. Returns the mean loss over the last tenth of the
    steps (0.0 for a plan without steps).
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
    kept = saving.kept(str(model.device)) if saving else None
    if kept is not None:
        model.load_state_dict(kept["model"])
        optimizer.load_state_dict(kept["optimizer"])
        losses = list(kept["losses"])
    order = itertools.islice(batches(lengths, plan.batch_size, plan.seed), len(losses), None)
    due = saving.next(time.monotonic()) if saving else math.inf
    for step in range(len(losses), plan.steps):
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
        if saving and time.monotonic() >= due:
            began = time.monotonic()
            saving.keep({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "losses": losses})
            due = saving.next(began)
    model.eval()
    tail = losses[-max(1, len(losses) // 10) :]
    return sum(tail) / len(tail) if tail else 0.0
