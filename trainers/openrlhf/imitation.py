"""Expert iteration by OpenRLHF: the generator is trained further on its own accepted proofs, one a theorem.

Writes the texts, starts the planned processes, reads their log into curves, and adopts what they leave. A try
that was cut off goes on from the last whole checkpoint.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness import checkpoints as sealed
from harness.errors import InfraError, UserError
from harness.experiment.spec import ExperimentSpec
from harness.prompts import embedded
from harness.prompts.registry import family
from harness.protocols import Sessions
from harness.types import Attempt, Problem
from trainers import answers
from trainers.collect import block_of
from trainers.examples import Example, from_proofs
from trainers.fitting import Progress
from trainers.openrlhf import checkpoints, checks, launch, logs, model_size, supervised
from trainers.openrlhf.plan import training_gpus
from trainers.openrlhf.stage import RUN, ending, limits, repeated, write_rows
from trainers.openrlhf.supervised import Supervised

WARMUP, WEIGHT_DECAY = 0.1, 0.01
"""Share of the steps that warm up, at most 50 of them, and AdamW's decay: as in this process."""
_WARMUP_STEPS = 50
_SPARE = 2
"""Tokens beside prompt and answer: the end, and one without which OpenRLHF passes over a text in silence."""


@dataclass(frozen=True, slots=True)
class Imitation:
    """What one training starts from."""

    spec: ExperimentSpec
    parent: Path
    """The generator's checkpoint."""
    proved: Sequence[tuple[Problem, Attempt]]
    """Accepted proofs of all rounds so far."""
    seed: int
    sessions: Sessions | None = None
    """Who replays proofs for a generator that is asked by the harness's own prompts, of states."""


def planned(spec: ExperimentSpec, run: Path, model: str, context: int, seed: int) -> Supervised:
    """The training of the generator `model` in the folder `run`. Pure.

    Every GPU of OpenRLHF's placement trains: nothing generates meanwhile.
    """
    how, settings = spec.expert_iteration, spec.improve.openrlhf
    return Supervised(
        name="imitation",
        run=run,
        model=model,
        python=settings.python or sys.executable,
        processes=training_gpus(spec),
        rows=how.steps * how.batch_size,
        max_tokens=model_size.longest_text(spec, context),
        batch_size=how.batch_size,
        micro_batch=settings.micro_batch,
        epochs=1,
        seed=seed,
        learning_rate=how.learning_rate,
        warmup=min(WARMUP, _WARMUP_STEPS / how.steps),
        weight_decay=WEIGHT_DECAY,
        save_every=settings.save_every,
        keep=settings.keep,
        max_grad_norm=settings.max_grad_norm,
        zero_stage=settings.zero_stage,
        attention=settings.attention,
        packing=settings.packing,
        gradient_checkpointing=settings.gradient_checkpointing,
    )


def train(work: Imitation, out: Path, progress: Progress) -> Mapping[str, Any]:
    """Train and fill the checkpoint folder `out`; blocks.

    Metrics: `loss_first` and `loss` (means over the first and last tenth of the steps), `examples` (texts),
    `theorems`, `skipped` (theorems without a text that fits), `seconds_per_step`, `moved` (share of weights),
    `seconds`.

    Raises `UserError` when there is nothing to train on, `launch.Ended` when OpenRLHF fails or is stopped,
    `InfraError` when what was left is no new generator.
    """
    started = time.monotonic()
    sealed.intact(work.parent, "generator")
    run = (out / RUN).absolute()
    run.mkdir(parents=True, exist_ok=True)
    context = model_size.read(work.parent / "config.json").context
    layout = planned(work.spec, run, str(work.parent.absolute()), context, work.seed)
    texts, skipped = _texts(work, layout.max_tokens)
    if not texts:
        raise UserError("trajectories.problems: no proof was found to train on; collect from more theorems")
    end = ending(work.spec, work.parent)
    rows = [{"prompt": text.prompt, "label": text.completion + end} for text in texts]
    write_rows(layout.data, repeated(rows, layout.rows, work.seed))
    resumed = checkpoints.resumable(layout.checkpoints)
    if not resumed:
        shutil.rmtree(layout.checkpoints, ignore_errors=True)
    course = _Passes(layout, progress, resumed)
    launch.run(supervised.process(replace(layout, resume=resumed > 0)), run, limits(work.spec), course.tell)
    course.close()
    metrics = course.metrics() | {
        "examples": float(len(texts)),
        "theorems": float(len({problem.revision for problem, _ in work.proved})),
        "skipped": float(skipped),
    }
    metrics["moved"] = checkpoints.adopt(layout.final, work.parent, out, metrics)
    shutil.rmtree(layout.checkpoints, ignore_errors=True)
    shutil.rmtree(layout.final, ignore_errors=True)
    return metrics | {"seconds": time.monotonic() - started, "packages": checks.versions(layout.python)}


def _texts(work: Imitation, longest: int) -> tuple[list[Example], int]:
    """What is taught, no text longer than `longest` tokens, and the number of theorems left out."""
    if work.spec.generator.prompt is None:
        assert work.sessions is not None
        proofs = [(problem, block_of(problem, attempt)) for problem, attempt in work.proved]
        found, skipped = asyncio.run(from_proofs(work.sessions, proofs))
        return _shortened(work.parent, found, longest), skipped
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(work.parent)

    def fits(text: Example) -> bool:
        ids = tokenizer(text.prompt + text.completion, add_special_tokens=False).input_ids
        return len(ids) <= longest - _SPARE

    return answers.taught(family(work.spec.generator.prompt), work.proved, tokenizer, fits)


def _shortened(parent: Path, found: Sequence[Example], longest: int) -> list[Example]:
    """The prompts without what does not fit beside their answers; an answer that takes half is left out."""
    made = embedded.load_tokenizer(parent)
    kept = []
    for text in found:
        length = len(made.encode(text.completion).ids)
        if length <= longest // 2:
            ids = embedded.encode(made, text.prompt, longest - length - _SPARE)
            kept.append(replace(text, prompt=made.decode(ids, skip_special_tokens=False)))
    return kept


@dataclass
class _Passes:
    """The steps as they are told: a bar has a line for each pass of a step, and says some twice."""

    layout: Supervised
    progress: Progress
    resumed: int
    losses: list[float] = field(default_factory=list)
    _step: int = 0
    _lines: list[Mapping[str, float]] = field(default_factory=list)
    _last: Mapping[str, float] = field(default_factory=dict)
    _began: float = 0.0
    _seconds: list[float] = field(default_factory=list)

    @property
    def _passes(self) -> int:
        """Passes of one step."""
        return self.layout.batch_size // (self.layout.micro_batch * self.layout.processes)

    def tell(self, told: logs.LoggedStep | logs.LoggedEvaluation) -> None:
        """Take a line; a step is over where the next one begins."""
        if isinstance(told, logs.LoggedEvaluation) or told.number % self._passes:
            return  # Within a step the bar still has the figures of the last one.
        step = self.resumed + told.number // self._passes
        if step > self.layout.rows // self.layout.batch_size:
            raise InfraError(
                f"{self.layout.run}: resumed after step {self.resumed}, and began anew; delete the folder to "
                "start anew"
            )
        if step != self._step:
            self.close()
            self._step = step
        figures = {name: value for name, value in told.figures.items() if name != "of"}
        if figures != self._last:
            self._lines.append(figures)
            self._last = figures

    def close(self) -> None:
        """The step is over: its loss is the mean of its passes'."""
        if not self._lines:
            return
        now = time.monotonic()
        if self._began:
            self._seconds.append(now - self._began)
        self._began = now
        known = [line["loss"] for line in self._lines if "loss" in line]
        figures = {**self._lines[-1]}
        if known:
            figures["loss"] = sum(known) / len(known)
            self.losses.append(figures["loss"])
        self._lines = []
        self.progress(self._step, self.layout.rows // self.layout.batch_size, figures)

    def metrics(self) -> dict[str, Any]:
        """The figures at the end, see `train`."""
        tenth = max(1, len(self.losses) // 10)
        first, last = self.losses[:tenth], self.losses[-tenth:]
        return {
            "loss_first": sum(first) / len(first) if first else None,
            "loss": sum(last) / len(last) if last else None,
            "seconds_per_step": sum(self._seconds) / len(self._seconds) if self._seconds else None,
        }
