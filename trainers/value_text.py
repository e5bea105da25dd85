"""A value model that writes how many tactics are left, by OpenRLHF's supervised training under torchrun.

What it reads ends in `Steps left: ` and it writes a whole number, as `value_model: {kind: steps}` asks for;
such a model answers behind a server alone. Only states on proofs have a number.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import checkpoints as sealed
from harness.errors import InfraError, StoreError, boundary
from harness.experiment.spec import ValueSpec
from harness.types import content_hash
from harness.values.spec import StepsValueSpec
from trainers import labelled
from trainers.labelled import LabelledRow
from trainers.openrlhf import checkpoints, launch, supervised
from trainers.openrlhf.supervised import Supervised
from trainers.trajectories import LabelledState

TEMPLATE: str = StepsValueSpec.model_fields["template"].default
TEXT_FORMAT = content_hash([TEMPLATE, "tactics left, in digits", "1"])
RUN = "openrlhf"
"""Folder of what is read and written on the way, within the stage's."""


def planned(
    spec: ValueSpec, run: Path, backbone: str, *, rows: int, seed: int, resume: bool = False
) -> Supervised:
    """The training of `backbone` on `rows` texts in the folder `run`. Pure."""
    how = spec.trainer
    assert how is not None
    steps = max(1, spec.epochs * math.ceil(rows / spec.batch_size))
    return Supervised(
        name="value",
        run=run,
        model=backbone,
        python=how.python or sys.executable,
        processes=how.processes,
        rows=rows,
        max_tokens=how.max_tokens,
        batch_size=spec.batch_size,
        micro_batch=how.micro_batch,
        epochs=spec.epochs,
        seed=seed,
        learning_rate=spec.learning_rate,
        warmup=min(0.5, spec.warmup_steps / steps),
        weight_decay=spec.weight_decay,
        save_every=how.save_every,
        gradient_checkpointing=how.gradient_checkpointing,
        resume=resume,
    )


def train(
    spec: ValueSpec, states: Sequence[LabelledState], backbone: str, *, seed: int, out: Path
) -> dict[str, Any]:
    """Train on the states on proofs of all rounds so far; metrics are `n_train`, `n_held_out` and `seconds`.

    Raises `UserError` when the states cannot fill both sides, `launch.Ended` when OpenRLHF fails,
    `InfraError` when it leaves no whole model.
    """
    started = time.monotonic()
    assert spec.trainer is not None
    training, held_out = labelled.split(spec, states, seed)
    rows = [row for row in training if row.state.tactics_left is not None]
    run = (out / RUN).absolute()
    run.mkdir(parents=True, exist_ok=True)
    layout = planned(spec, run, backbone, rows=len(rows), seed=seed)
    resume = checkpoints.resumable(layout.checkpoints) > 0
    if not resume:
        shutil.rmtree(layout.checkpoints, ignore_errors=True)
    with boundary(StoreError, f"{run}: cannot be written"):
        layout.data.write_text("".join(f"{line}\n" for line in _lines(rows)), encoding="utf-8")
    limits = launch.Limits(spec.trainer.start_timeout_s, spec.trainer.step_timeout_s, section="value.trainer")
    launch.run(supervised.process(replace(layout, resume=resume)), run, limits, lambda _: None)
    if not checkpoints.complete(layout.final):
        raise InfraError(f"{layout.final}: OpenRLHF ended without leaving a whole model")
    with boundary(StoreError, f"{out}: the checkpoint cannot be written"):
        for file in layout.final.iterdir():
            shutil.move(file, out / file.name)
    metrics: labelled.Metrics = {"n_train": float(len(rows)), "n_held_out": float(len(held_out))}
    metrics["seconds"] = time.monotonic() - started
    parent = Path(backbone) if Path(backbone).is_dir() else None
    sealed.seal(out, "value", prompt_format=TEXT_FORMAT, parent=parent, metrics=metrics)
    shutil.rmtree(run, ignore_errors=True)
    return dict(metrics)


def _lines(rows: Sequence[LabelledRow]) -> Iterator[str]:
    for row in rows:
        prompt = TEMPLATE.replace("{state}", "\n\n".join(row.state.goals))
        yield json.dumps({"prompt": prompt, "label": str(row.state.tactics_left)}, ensure_ascii=False)
