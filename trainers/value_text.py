"""A value model that writes how many tactics are left, by OpenRLHF's supervised training under torchrun.

What it reads ends in `Steps left: ` and it writes a whole number, as `value_model: {kind: steps}` asks for;
such a model answers behind a server alone. Only states on proofs have a number. The flags are those of
the wheel `openrlhf==0.11.2` (`python -m openrlhf.cli.train_sft --help`); its default template would put words
of its own around the text, and no BOS stands before it.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import checkpoints as sealed
from harness.errors import InfraError, StoreError, boundary
from harness.experiment.spec import ValueSpec
from harness.processes.kept import Process
from harness.types import content_hash
from harness.values.spec import StepsValueSpec
from trainers import labelled
from trainers.labelled import LabelledRow
from trainers.openrlhf import checkpoints, launch
from trainers.trajectories import LabelledState

CLI = "openrlhf.cli.train_sft"
TEMPLATE: str = StepsValueSpec.model_fields["template"].default
TEXT_FORMAT = content_hash([TEMPLATE, "tactics left, in digits", "1"])
RUN = "openrlhf"
"""Folder of what is read and written on the way, within the stage's."""


@dataclass(frozen=True, slots=True)
class TextLayout:
    """Where a training stands on the disk."""

    run: Path
    backbone: str
    rows: int
    """Texts to train on."""
    seed: int
    resume: bool = False

    @property
    def data(self) -> Path:
        """The texts, in JSON lines of `prompt` and `label`."""
        return self.run / "rows.jsonl"

    @property
    def final(self) -> Path:
        """The trained model."""
        return self.run / "final"


def process(spec: ValueSpec, layout: TextLayout) -> Process:
    """torchrun with its processes, one a GPU. Pure."""
    how = spec.trainer
    assert how is not None
    launcher = ("-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={how.processes}")
    return Process(
        name="value",
        argv=(how.python or sys.executable, *launcher, "-m", CLI, *arguments(spec, layout)),
        environment={"PYTHONUNBUFFERED": "1"},
        dropped=("WANDB_API_KEY",),
        gpus=tuple(range(how.processes)),
        cpus=how.processes,
        files=(layout.data,),
        log=layout.run / "value.log",
    )


def arguments(spec: ValueSpec, layout: TextLayout) -> tuple[str, ...]:
    """The argument list after the module's name."""
    return tuple(_arguments(spec, layout))


def _arguments(spec: ValueSpec, layout: TextLayout) -> Iterator[str]:
    how = spec.trainer
    assert how is not None
    yield from ("--model.model_name_or_path", layout.backbone, "--data.dataset", str(layout.data))
    yield from ("--data.input_key", "prompt", "--data.output_key", "label", "--data.input_template", "{}")
    yield from ("--data.max_len", str(how.max_tokens), "--data.max_samples", str(layout.rows))
    yield from ("--train.batch_size", str(spec.batch_size), "--train.micro_batch_size", str(how.micro_batch))
    yield from ("--train.max_epochs", str(spec.epochs), "--train.seed", str(layout.seed))
    steps = max(1, spec.epochs * math.ceil(layout.rows / spec.batch_size))
    yield from ("--adam.lr", str(spec.learning_rate), "--adam.betas", "0.9", "0.98")
    yield from ("--adam.weight_decay", str(spec.weight_decay), "--lr_scheduler", "cosine")
    yield from ("--lr_warmup_ratio", f"{min(0.5, spec.warmup_steps / steps):.4f}", "--max_norm", "1.0")
    yield from ("--ds.zero_stage", "2", "--ds.param_dtype", "bf16", "--ds.attn_implementation", "sdpa")
    if how.gradient_checkpointing:
        yield "--model.gradient_checkpointing_enable"
    yield from ("--ckpt.path", str(layout.run / "ckpt"), "--ckpt.output_dir", str(layout.final))
    yield from ("--ckpt.save_steps", str(how.save_every), "--ckpt.max_num", "2")
    if layout.resume:
        yield "--ckpt.load_enable"


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
    left = run / "ckpt"
    resume = (left / "latest").is_file()
    layout = TextLayout(run, backbone, len(rows), seed, resume)
    with boundary(StoreError, f"{run}: cannot be written"):
        layout.data.write_text("".join(f"{line}\n" for line in _lines(rows)), encoding="utf-8")
    # No line of its log tells of a step, so the first limit is one for the whole.
    limits = launch.Limits(spec.trainer.start_timeout_s, spec.trainer.step_timeout_s, section="value.trainer")
    launch.run(process(spec, layout), run, limits, lambda _: None)
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
