"""GRPO that a kill only sets back: TRL's own checkpoints on the way, and going on from the last whole one.

A checkpoint of TRL holds weights, optimizer, schedule and the states of all random generators. Two things are
not in it, without which the same steps would not follow: the order of the prompts after the first pass
through them, whose generator starts anew with each trainer (`in_order`), and the figures noted so far
(`NOTES`, written last, so that its presence says that the checkpoint is whole).
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.records.journal import read_json, write_json

FOLDER = "on_the_way"
"""Where the checkpoints lie in the stage's folder while it is being made."""
NOTES = "notes.json"
_SHARE = 20
"""A checkpoint is due when training took so many times what the last one took to write."""


def latest(folder: Path) -> tuple[Path, Mapping[str, Any]] | None:
    """The last whole checkpoint in `folder` with its notes. Raises `StoreError` for broken notes."""
    for step in sorted(_steps(folder), reverse=True):
        notes = read_json(folder / f"checkpoint-{step}" / NOTES)
        if notes is not None:
            return folder / f"checkpoint-{step}", notes
    return None


def _steps(folder: Path) -> list[int]:
    found = [re.fullmatch(r"checkpoint-(\d+)", path.name) for path in folder.glob("checkpoint-*")]
    return [int(name[1]) for name in found if name]


def saver(folder: Path, every_s: float, notes: Callable[[], Mapping[str, Any]]) -> Any:
    """A callback that has a checkpoint written every `every_s` seconds and keeps the last whole one."""
    from transformers import TrainerCallback

    class Saver(TrainerCallback):
        def __init__(self) -> None:
            self.due = time.monotonic() + every_s
            self.began = 0.0

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            # The last step's weights are the result.
            if state.global_step < state.max_steps and time.monotonic() >= self.due:
                control.should_save = True
                self.began = time.monotonic()

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            write_json(folder / f"checkpoint-{state.global_step}" / NOTES, notes())
            for step in _steps(folder):
                if step != state.global_step:
                    shutil.rmtree(folder / f"checkpoint-{step}", ignore_errors=True)
            now = time.monotonic()
            self.due = now + max(every_s, _SHARE * (now - self.began))

    return Saver()


def in_order(trainer_class: Any, steps_done: int) -> Any:
    """`trainer_class` whose prompts come, after `steps_done` steps, as they would without a stop."""

    class InOrder(trainer_class):
        def _get_train_sampler(self, dataset: Any = None) -> Any:
            import torch

            sampler = super()._get_train_sampler(dataset)
            # One step takes `batch_size` prompts; each pass through them draws one order.
            passes = steps_done // max(1, sampler.num_samples // sampler.batch_size)
            for _ in range(passes):
                torch.randperm(sampler.num_samples, generator=sampler.generator)
            return sampler

        def create_model_card(self, *_: Any, **__: Any) -> None:
            """None: these checkpoints are nobody's to publish."""

    return InOrder
