"""A value model of any Hugging Face backbone, by transformers' Trainer in processes of its own (torchrun).

The processes run under a keeper: whatever becomes of this one, nothing of them is left. A training that was
killed goes on from the Trainer's last whole checkpoint. Figures are measured here, on held-out theorems, with
the inference that search will use. The function blocks.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import checkpoints
from harness.errors import StoreError, boundary
from harness.experiment.node import ValueTrainerSpec
from harness.experiment.spec import ValueSpec
from harness.processes.kept import Process
from harness.records.journal import read_json
from harness.values.reading import STATE_FORMAT
from trainers import labelled, reliability
from trainers.labelled import LabelledRow, Metrics
from trainers.openrlhf import launch, logs
from trainers.trajectories import LabelledState
from trainers.value_process import RESULT, SEAL, ProcessSettings

if TYPE_CHECKING:
    from trainers.fitting import Progress  # Which takes torch to import, and plans do without.

MODULE = "trainers.value_process"
RUN = "processes"
"""Folder of what the processes read and write on the way, within the stage's."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """On what it is trained."""

    device: str
    """torch's name of it."""
    threads: int
    """Of all processes together."""


def train(
    spec: ValueSpec,
    states: Sequence[LabelledState],
    backbone: str,
    *,
    seed: int,
    where: Hardware,
    out: Path,
    progress: Progress,
    before: Path | None = None,
) -> dict[str, Any]:
    """Train on the labelled `states` of all rounds so far, starting from the model `backbone`.

    Metrics as those of `trainers.value`. Raises `UserError` when the states cannot fill both sides,
    `launch.Ended` when the processes fail, hang or turn to NaN.
    """
    started = time.monotonic()
    assert spec.trainer is not None
    training, held_out = labelled.split(spec, states, seed)
    run = (out / RUN).absolute()
    run.mkdir(parents=True, exist_ok=True)
    settings = _settings(spec, backbone, seed, where, out.absolute(), run)
    _write(settings, labelled.repeated(spec, training), run)

    def tell(step: logs.LoggedStep | logs.LoggedEvaluation) -> None:
        figures = dict(step.figures)
        progress(step.number, int(figures.pop("of", step.number)), figures)

    limits = launch.Limits(spec.trainer.start_timeout_s, spec.trainer.step_timeout_s, section="value.trainer")
    launch.run(process(spec.trainer, where, run), run, limits, tell)
    result = read_json(out / RESULT) or {}
    metrics: Metrics = {"loss": result.get("loss")}
    metrics |= _measured(spec, training, held_out, where, out, before)
    metrics["seconds"] = time.monotonic() - started
    parent = Path(backbone) if Path(backbone).is_dir() else None
    checkpoints.seal(out, "value", prompt_format=STATE_FORMAT, parent=parent, metrics=metrics)
    (out / RESULT).unlink(missing_ok=True)
    shutil.rmtree(run, ignore_errors=True)
    return {**metrics, "backbone_commit": result.get("backbone_commit")}


def process(spec: ValueTrainerSpec, where: Hardware, run: Path) -> Process:
    """torchrun with its processes, one a GPU. Pure."""
    launcher = ("-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={spec.processes}")
    settings = run / "settings.json"
    return Process(
        name="value",
        argv=(spec.python or sys.executable, *launcher, "-m", MODULE, str(settings)),
        environment={
            "OMP_NUM_THREADS": str(max(1, where.threads // spec.processes)),
            "PYTHONUNBUFFERED": "1",
            "TOKENIZERS_PARALLELISM": "false",
            "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        },
        dropped=("WANDB_API_KEY",),
        gpus=() if where.device == "cpu" else tuple(range(spec.processes)),
        cpus=spec.processes,
        files=(settings, run / "rows.jsonl"),
        log=run / "value.log",
    )


def _settings(
    spec: ValueSpec, backbone: str, seed: int, where: Hardware, out: Path, run: Path
) -> ProcessSettings:
    how = spec.trainer
    assert how is not None
    return ProcessSettings(
        backbone=backbone,
        rows=str(run / "rows.jsonl"),
        out=str(out),
        scratch=str(run / "on_the_way"),
        epochs=spec.epochs,
        batch_size=spec.batch_size,
        micro_batch=how.micro_batch,
        learning_rate=spec.learning_rate,
        warmup_steps=spec.warmup_steps,
        weight_decay=spec.weight_decay,
        max_tokens=how.max_tokens,
        seed=seed,
        threads=max(1, where.threads // how.processes),
        device=where.device,
        bf16=how.bf16,
        gradient_checkpointing=how.gradient_checkpointing,
        save_every=how.save_every,
        resume=latest(run / "on_the_way"),
    )


def latest(folder: Path) -> str | None:
    """The last checkpoint that every process has written."""
    whole = [path.parent for path in folder.glob(f"checkpoint-*/{SEAL}")]
    return str(max(whole, key=lambda path: int(path.name.rpartition("-")[2]))) if whole else None


def _write(settings: ProcessSettings, rows: Sequence[LabelledRow], run: Path) -> None:
    with boundary(StoreError, f"{run}: cannot be written"):
        lines = [json.dumps({"text": text(row), "label": row.label}, ensure_ascii=False) for row in rows]
        Path(settings.rows).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        told = json.dumps(dataclasses.asdict(settings), indent=1)
        (run / "settings.json").write_text(told, encoding="utf-8")


def text(row: LabelledRow) -> str:
    """What the model reads of a state: all goals as they are printed."""
    return "\n\n".join(row.state.goals)


def _measured(
    spec: ValueSpec,
    training: Sequence[LabelledRow],
    held_out: Sequence[LabelledRow],
    where: Hardware,
    out: Path,
    before: Path | None,
) -> Metrics:
    """The figures of the new model and, on the same states, some of the one of the round before."""
    texts = [text(row) for row in held_out]
    predicted = _model(out, where).score_texts(texts)
    reliability.write(out, predicted, [row.label for row in held_out])
    metrics = labelled.figures(spec, training, held_out, predicted)
    if before is not None:
        older = _model(before, where).score_texts(texts)
        metrics |= labelled.before(labelled.figures(spec, training, held_out, older))
    return metrics


def _model(folder: Path, where: Hardware) -> Any:
    from harness.values.classifier import ClassifierValue

    return ClassifierValue(str(folder), "\n\n".join, device=where.device, threads=where.threads)
