"""One GRPO training by OpenRLHF, from a finished generator to a finished generator.

Writes the prompts, starts the planned process, reads its log into curves, and adopts what it leaves. A try
that was cut off goes on from the last whole checkpoint.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import checkpoints as sealed
from harness.errors import InfraError, UserError
from harness.experiment.resources import Resources
from harness.experiment.spec import ExperimentSpec
from harness.prompts import embedded
from harness.prompts.registry import family
from harness.protocols import Candidate
from harness.records.journal import encode
from harness.types import Level, Problem, Status
from trainers import grpo_prompts, judge
from trainers.openrlhf import checkpoints, checks, launch, logs, model_size, plan

Progress = Any
RUN = "openrlhf"
"""Folder of a training within its stage's."""
ACTOR = "_actor"
"""Folder of what GRPO resumes from, within that of its checkpoints."""
_PHASES = ("generation_s", "scoring_s", "training_s", "broadcast_s", "verify_s")


@dataclass(frozen=True, slots=True)
class Training:
    """What one training starts from."""

    spec: ExperimentSpec
    parent: Path
    """The generator's checkpoint."""
    problems: Sequence[Problem]
    seed: int
    value: Path | None = None
    """The value model behind a bonus."""


def train(work: Training, resources: Resources, out: Path, progress: Progress) -> Mapping[str, Any]:
    """Train and fill the checkpoint folder `out`; blocks.

    Metrics: `reward_first`, `reward_last`, `proved_first`, `proved_last`, `kl`, `entropy_last` (means over
    the first and last tenth of the steps), `unscored` and `samples` (proofs), `seconds_per_step`, the mean
    seconds of each phase, `tokens_per_s` (while generating), `moved` (share of weights), `seconds`.

    Raises `UserError` when nothing can be trained on, `launch.Ended` when OpenRLHF fails or is stopped,
    `InfraError` when Lean is out of reach or what was left is no new generator.
    """
    started = time.monotonic()
    sealed.intact(work.parent, "generator")
    run = (out / RUN).absolute()
    run.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hr", dir="/tmp", ignore_cleanup_errors=True) as scratch:
        layout = _layout(work, run, Path(scratch))
        _write(work, resources, layout)
        resumed = checkpoints.resumable(layout.checkpoints / ACTOR) if layout.resume else 0
        course = _Steps(work.spec, layout, progress, resumed)
        launch.run(plan.trainer(work.spec, layout), run, limits(work.spec), course.tell)
    metrics = course.metrics()
    metrics["moved"] = checkpoints.adopt(_result(layout), work.parent, out, metrics)
    shutil.rmtree(layout.checkpoints, ignore_errors=True)
    shutil.rmtree(layout.final, ignore_errors=True)
    return metrics | {
        "seconds": time.monotonic() - started,
        "packages": checks.versions(work.spec.improve.openrlhf.python),
    }


def _layout(work: Training, run: Path, scratch: Path) -> plan.Layout:
    settings = work.spec.improve.openrlhf
    context = model_size.read(work.parent / "config.json").context
    left = run / "ckpt"
    resume = checkpoints.resumable(left / ACTOR) > 0
    if not resume:
        shutil.rmtree(left, ignore_errors=True)
    return plan.Layout(
        run=run,
        model=str(work.parent.absolute()),
        python=settings.python or sys.executable,
        scratch=scratch,
        context=context,
        max_new_tokens=min(work.spec.whole_proof.max_new_tokens, context // 2),
        seed=work.seed,
        resume=resume,
    )


def limits(spec: ExperimentSpec) -> launch.Limits:
    """When a training by OpenRLHF is stopped."""
    settings = spec.improve.openrlhf
    return launch.Limits(settings.start_timeout_s, settings.step_timeout_s)


def _write(work: Training, resources: Resources, layout: plan.Layout) -> None:
    """The files that the process reads; the same ones for a try that goes on."""
    spec, settings = work.spec, work.spec.improve.openrlhf
    band = grpo_prompts.band(spec.grpo, work.problems)
    texts = asyncio.run(_texts(work, resources, layout, band))
    rows = [
        {"prompt": text, "label": {"problem": judge.key(problem)}}
        for text, problem in zip(texts, band, strict=True)
    ]
    kept, held_out = split(rows, settings.evaluate_problems if settings.evaluate_every else 0, work.seed)
    write_rows(layout.rows, repeated(kept, spec.grpo.prompts * spec.grpo.steps, work.seed))
    if held_out:
        write_rows(layout.held_out, held_out)
    judge.write_problems(layout.problems, band)
    judge.Settings(
        lean=spec.lean,
        problems=layout.problems,
        verdicts=(resources.root / "verdicts").absolute(),
        concurrency=settings.verify_concurrency,
        deadline_s=settings.verify_deadline_s,
        unscored_in_a_row=settings.unscored_in_a_row,
        value=None if work.value is None else work.value.absolute(),
        end=ending(work.spec, work.parent),
        value_bonus=settings.value_bonus,
        format_penalty=spec.grpo.format_penalty,
    ).write(layout.reward)


async def _texts(
    work: Training, resources: Resources, layout: plan.Layout, band: Sequence[Problem]
) -> Sequence[grpo_prompts.Asked]:
    """The prompts; on the way, that Lean answers at all."""
    made = embedded.load_tokenizer(work.parent)
    async with resources.lean(work.spec.lean) as lean:
        (verdict,) = await lean.verifier.check([Candidate(band[0], "skip")], Level.FAST)
        if verdict.status is Status.INFRA:
            raise InfraError(f"lean.service: {work.spec.lean.service} does not judge: {verdict.detail}")
        limit = layout.context - layout.max_new_tokens
        named = work.spec.generator.prompt
        if named is not None:
            return grpo_prompts.asked(family(named), band, made, limit)
        return await grpo_prompts.texts(lean.sessions, band, made, limit)


def ending(spec: ExperimentSpec, parent: Path) -> str:
    """What the generator at `parent` writes at the end of an answer, as its tokenizer spells it."""
    if spec.generator.prompt is None:
        return embedded.END
    told = json.loads((parent / "tokenizer_config.json").read_text(encoding="utf-8")).get("eos_token")
    end = told.get("content") if isinstance(told, dict) else told
    if not isinstance(end, str) or not end:
        raise UserError(f"{parent / 'tokenizer_config.json'}: no eos_token; save the tokenizer anew")
    return end


Row = dict[str, Any]


def split(rows: Sequence[Row], held_out: int, seed: int) -> tuple[list[Row], list[Row]]:
    """Rows to train on, and `held_out` others. Raises `UserError` when nothing would be left to train on."""
    if held_out >= len(rows):
        raise UserError(
            f"improve.openrlhf.evaluate_problems: {held_out} of {len(rows)} theorems leave none to train on"
        )
    order = list(range(len(rows)))
    random.Random(f"held out {seed}").shuffle(order)
    out = set(order[:held_out])
    return [row for n, row in enumerate(rows) if n not in out], [rows[n] for n in sorted(out)]


def repeated(rows: Sequence[Row], count: int, seed: int) -> list[Row]:
    """Exactly `count` rows: every pass over `rows` in a new order, the last one cut.

    A number that is no multiple of the step's prompts would leave GPUs waiting for each other at the end.
    """
    draw = random.Random(f"rows {seed}")
    found: list[Row] = []
    while len(found) < count:
        order = list(rows)
        draw.shuffle(order)
        found += order
    return found[:count]


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as JSON lines."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _result(layout: plan.Layout) -> Path:
    if checkpoints.complete(layout.final):
        return layout.final
    saved = checkpoints.saved(layout.checkpoints)
    if not saved:
        raise InfraError(f"{layout.final}: OpenRLHF ended without leaving a whole model")
    return saved[-1][1]


@dataclass
class _Steps:
    """The steps as they are told."""

    spec: ExperimentSpec
    layout: plan.Layout
    progress: Progress
    resumed: int
    steps: list[logs.LoggedStep] = field(default_factory=list)
    held_out: dict[str, float] = field(default_factory=dict)
    """The last evaluation during training."""

    def tell(self, told: logs.LoggedStep | logs.LoggedEvaluation) -> None:
        """Keep a step or an evaluation, and show it."""
        kind = "evaluation" if isinstance(told, logs.LoggedEvaluation) else "step"
        with (self.layout.run / "steps.jsonl").open("ab") as file:
            file.write(encode({kind: told.number, **told.figures}))
        if isinstance(told, logs.LoggedEvaluation):
            named = {
                name.removeprefix("eval_").removeprefix("default_"): v for name, v in told.figures.items()
            }
            self.held_out = {f"held_out_{name}": value for name, value in named.items()}
            return
        if not self.steps and told.number <= self.resumed:
            raise InfraError(
                f"{self.layout.run}: resumed after step {self.resumed}, and began again with {told.number}; "
                "delete the folder to start anew"
            )
        self.steps.append(told)
        shown = {name: value for name, value in told.figures.items() if name not in ("samples", "lr")}
        self.progress(told.number, self.spec.grpo.steps, shown | self.held_out)
        self.held_out = {}
        checkpoints.prune(self.layout.checkpoints, self.spec.improve.openrlhf.keep)

    def metrics(self) -> dict[str, Any]:
        """The figures at the end, see `train`."""
        found: dict[str, float | None] = {}
        for name in ("reward", "proved"):
            for end in ("first", "last"):
                found[f"{name}_{end}"] = self._tenth(name, end)
        found |= {"kl": self._tenth("kl", "last"), "entropy_last": self._tenth("entropy", "last")}
        found["samples"] = self._sum("samples")
        found["unscored"] = sum(
            step.figures.get("unscored", 0.0) * step.figures.get("samples", 0.0) for step in self.steps
        )
        found["seconds_per_step"] = self._mean("step_s")
        found |= {name: self._mean(name) for name in _PHASES}
        tokens = sum(
            step.figures.get("samples", 0.0) * step.figures.get("response_length", 0.0) for step in self.steps
        )
        generating = self._sum("generation_s")
        found["tokens_per_s"] = tokens / generating if generating else None
        return found

    def _known(self, name: str) -> list[float]:
        return [step.figures[name] for step in self.steps if name in step.figures]

    def _sum(self, name: str) -> float:
        return sum(self._known(name))

    def _mean(self, name: str) -> float | None:
        known = self._known(name)
        return sum(known) / len(known) if known else None

    def _tenth(self, name: str, end: str) -> float | None:
        known = self._known(name)
        count = max(1, len(known) // 10)
        part = known[:count] if end == "first" else known[-count:]
        return sum(part) / len(part) if part else None
