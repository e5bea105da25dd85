"""GRPO (Shao et al. 2024, arXiv 2402.03300) on verified whole proofs, through TRL, on one device.

The reward is the verifier's own verdict at the fast level. The loss is TRL's `dapo`: summed over all tokens
of the step's completions and divided by their number, so that long proofs weigh by their length (DAPO,
Yu et al. 2025, arXiv 2503.14476, eq. 8). Advantages are normalised in the group of one prompt's samples; a
sample that the machine failed to judge counts in no mean and gets no advantage.

The function blocks: call it outside an event loop, or through `asyncio.to_thread`; sessions and verifier
must not be bound to another loop. A killed training goes on from its own checkpoints (`grpo_resume`).
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import checkpoints, extras
from harness.errors import UserError
from harness.experiment.spec import GrpoSpec, ImproveSpec, LoraSpec
from harness.prompts import embedded
from harness.protocols import Candidate, Sessions, Verifier
from harness.types import Level, Problem
from trainers import fitting, grpo_prompts, grpo_resume, sft, tokenizer
from trainers.fitting import Progress
from trainers.reward import shaped

Metrics = dict[str, float | None]
_CURVES = ("entropy", "frac_reward_zero_std")
_KEPT = (*_CURVES, "kl", "step_time")


@dataclass(frozen=True, slots=True)
class Rewarding:
    """What turns completions into rewards."""

    sessions: Sessions
    """Prints each problem's initial goal, the prompt."""
    verifier: Verifier
    """Judges completions, at the fast level."""
    max_new_tokens: int = 96
    """Longest completion in tokens; the reward of a cut one is what its text earns."""


@dataclass(frozen=True, slots=True)
class StepSettings:
    """How a step is computed."""

    device: str = "cpu"
    """torch's name of it."""
    bf16: bool = False
    """Matrix products in bfloat16, on a GPU alone; the weights stay float32."""
    accumulation: int = 1
    """Parts in which a step's samples go through the model; the gradient is that of all of them."""
    lora: LoraSpec | None = None
    """Adapters are trained, and merged into the weights at the end; None: the weights themselves."""
    vllm_memory: float | None = None
    """vLLM in this process generates, with this share of the GPU's memory; None: transformers."""
    save_s: float = fitting.SAVE_S
    """Seconds between checkpoints on the way, in the folder of the result; more where writing takes long."""

    @classmethod
    def of(cls, improve: ImproveSpec, device: str, save_s: float = fitting.SAVE_S) -> StepSettings:
        """As the experiment has it.

        Raises `MissingExtra` where a package for it is absent, `UserError` for vLLM without a GPU.
        """
        if improve.lora is not None:
            extras.need("lora")
        if improve.vllm_memory is not None:
            extras.need("vllm")
            if device == "cpu":
                raise UserError("improve.vllm_memory: needs a GPU; leave it out to generate by transformers")
        return cls(device, improve.bf16, improve.accumulation, improve.lora, improve.vllm_memory, save_s)


@dataclass
class _Course:
    """What happened, step by step."""

    steps: int
    progress: Progress
    rewards: list[float | None] = field(default_factory=list)
    unscored: int = 0
    logs: list[dict[str, float]] = field(default_factory=list)

    def notes(self) -> dict[str, Any]:
        """What happened so far, as JSON."""
        return {"rewards": self.rewards, "unscored": self.unscored, "logs": self.logs}

    def restore(self, notes: Mapping[str, Any]) -> None:
        """Inverse of `notes`."""
        self.rewards, self.logs = list(notes["rewards"]), list(notes["logs"])
        self.unscored = int(notes["unscored"])

    def metrics(self) -> Metrics:
        """The figures at the end, see `train`."""
        return {
            "reward_first": _tenth(self.rewards, "first"),
            "reward_last": _tenth(self.rewards, "last"),
            **{f"{name}_{end}": self.mean(name, end) for name in _CURVES for end in ("first", "last")},
            "kl": self.mean("kl", "last"),
            "unscored": float(self.unscored),
            "seconds_per_step": self.mean("step_time", "last"),
        }

    def mean(self, name: str, end: str) -> float | None:
        """Mean of a logged figure over the first or last tenth of the steps; None when it is not logged."""
        return _tenth([log[name] for log in self.logs if name in log], end)


@dataclass(frozen=True, slots=True)
class _Work:
    """One training, as its parts see it."""

    spec: GrpoSpec
    parent: Path
    band: Sequence[Problem]
    judge: Rewarding
    runner: asyncio.Runner
    course: _Course
    seed: int
    where: StepSettings


def train(
    spec: GrpoSpec,
    parent: Path,
    problems: Sequence[Problem],
    judge: Rewarding,
    *,
    seed: int,
    threads: int,
    out: Path,
    progress: Progress,
    where: StepSettings = StepSettings(),
) -> Metrics:
    """Train the generator at `parent` on the `problems` of the spec's difficulty band and write it to `out`.

    What an earlier try of the same training left in `out` is gone on with; on a CPU the result is bit for bit
    that of a training without a stop.

    With `spec.kl` above 0 the reference of the KL term is `parent`. Metrics: `reward_first`, `reward_last`,
    `entropy_first`, `entropy_last` and `frac_reward_zero_std_first`, `_last` (means over the first and last
    tenth of the steps), `kl` (last tenth; None without a KL term), `unscored`, `prompts`, `seconds`,
    `seconds_per_step`.

    Raises `UserError` when `parent` is no usable generator, the band holds no problem or a step cannot be cut
    in so many parts, `InfraError` when the service fails to print an initial goal.
    """
    started = time.monotonic()
    checkpoints.intact(parent, "generator")
    band = grpo_prompts.band(spec, problems)
    if spec.samples * spec.prompts % where.accumulation:
        raise UserError(
            f"improve.accumulation: {spec.prompts} prompts x {spec.samples} samples cannot be cut in"
            f" {where.accumulation} equal parts; choose a divisor"
        )
    course = _Course(spec.steps, progress)
    with (
        asyncio.Runner() as runner,
        _hushed(),
        fitting.repeatable(seed, threads, where.device),
    ):
        work = _Work(spec, parent, band, judge, runner, course, seed, where)
        scratch = out / grpo_resume.FOLDER
        left = grpo_resume.latest(scratch)
        if left is not None:
            course.restore(left[1])
        trainer = _trainer(work, scratch)
        trainer.train(resume_from_checkpoint=None if left is None else str(left[0]))
        metrics = {**course.metrics(), "prompts": float(len(band)), "seconds": time.monotonic() - started}
        model = trainer.accelerator.unwrap_model(trainer.model)
        if where.lora is not None:
            model = model.merge_and_unload()
        context = model.config.max_position_embeddings
        wrapped = tokenizer.wrap(embedded.load_tokenizer(parent), context)
        sft.save(model, wrapped, out, parent=parent, metrics=metrics)
        shutil.rmtree(scratch, ignore_errors=True)
    return metrics


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep back what TRL says of unscored samples (they are counted) and of its own deprecated settings, and
    what transformers says of a checkpoint whose output layer is its embedding."""
    spoken = [logging.getLogger(name) for name in ("trl.trainer.grpo_trainer", "transformers.trainer")]
    levels = [each.level for each in spoken]
    for each in spoken:
        each.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        for each, level in zip(spoken, levels, strict=True):
            each.setLevel(level)


def _trainer(work: _Work, scratch: Path) -> Any:
    """TRL's trainer, loaded and silent."""
    # TRL takes about ten seconds to import, so nobody who does not train pays for it.
    from transformers import LlamaForCausalLM, PrinterCallback
    from trl import GRPOTrainer

    from datasets import Dataset

    made = embedded.load_tokenizer(work.parent)
    # Loaded by path, because TRL loads the reference model from the path that the model remembers.
    model = LlamaForCausalLM.from_pretrained(work.parent)
    context: int = model.config.max_position_embeddings
    limit = min(work.judge.max_new_tokens, context // 2)
    texts = work.runner.run(grpo_prompts.texts(work.judge.sessions, work.band, made, context - limit))
    rows = [{"prompt": text, "place": n} for n, text in enumerate(texts)]
    # A step needs `prompts` rows, and TRL drops a last incomplete one: a small band is gone through twice.
    rows = rows * -(-work.spec.prompts // len(rows))
    trainer = grpo_resume.in_order(GRPOTrainer, len(work.course.logs))(
        model=model,
        reward_funcs=_reward_function(work),
        args=_config(work.spec, limit, work.seed, scratch, work.where),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer.wrap(made, context),
        peft_config=_adapters(work.where.lora),
        callbacks=[
            _watcher(work.course),
            grpo_resume.saver(scratch, work.where.save_s, work.course.notes),
        ],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _adapters(lora: LoraSpec | None) -> Any:
    """peft's settings; None without adapters."""
    if lora is None:
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def _config(
    spec: GrpoSpec, limit: int, seed: int, scratch: Path, where: StepSettings = StepSettings()
) -> Any:
    """TRL's settings. Its defaults are for one big GPU: bf16, checkpointing, a tiny rate, a file a step."""
    from trl import GRPOConfig

    on_cpu = where.device == "cpu"
    made = GRPOConfig(
        output_dir=str(scratch),
        beta=spec.kl,
        num_generations=spec.samples,
        per_device_train_batch_size=spec.samples * spec.prompts // where.accumulation,
        gradient_accumulation_steps=where.accumulation,
        max_steps=spec.steps,
        learning_rate=spec.learning_rate,
        lr_scheduler_type="constant",
        weight_decay=spec.weight_decay,
        adam_beta1=0.9,
        adam_beta2=0.98,
        temperature=spec.temperature,
        epsilon=spec.clip_low,
        epsilon_high=spec.clip_high,
        loss_type="dapo",
        scale_rewards="group",
        max_completion_length=limit,
        seed=seed,
        use_cpu=on_cpu,
        bf16=where.bf16 and not on_cpu,
        gradient_checkpointing=False,
        dataloader_pin_memory=not on_cpu,
        save_strategy="no",
        logging_steps=1,
        report_to=[],
        disable_tqdm=True,
        **_generation(where),
    )
    if not on_cpu and made.n_gpu > 1:
        made._n_gpu = 1  # With several GPUs in sight the Trainer would spread each batch over all of them.
    return made


def _generation(where: StepSettings) -> dict[str, Any]:
    """TRL's settings of who generates."""
    if where.vllm_memory is None:
        return {"use_vllm": False}
    return {
        "use_vllm": True,
        "vllm_mode": "colocate",
        "vllm_gpu_memory_utilization": where.vllm_memory,
    }


def _reward_function(work: _Work) -> Callable[..., list[float | None]]:
    """TRL's reward function: the verdicts of a step's completions. None reaches TRL as "not scored"."""

    def verified(completions: list[str], place: list[int], **_: Any) -> list[float | None]:
        asked = [(n, text.strip("\n")) for n, text in zip(place, completions, strict=True)]
        # A group often holds the same proof several times; it is checked once.
        distinct = list(dict.fromkeys(asked))
        candidates = [Candidate(work.band[n], text) for n, text in distinct]
        verdicts = work.runner.run(work.judge.verifier.check(candidates, Level.FAST))
        earned = {
            (n, text): shaped(verdict, work.band[n], text, work.spec.format_penalty)
            for (n, text), verdict in zip(distinct, verdicts, strict=True)
        }
        rewards = [earned[pair] for pair in asked]
        scored = [value for value in rewards if value is not None]
        work.course.unscored += len(rewards) - len(scored)
        work.course.rewards.append(sum(scored) / len(scored) if scored else None)
        return rewards

    return verified


def _watcher(course: _Course) -> Any:
    """A callback that keeps TRL's figures and reports progress."""
    from transformers import TrainerCallback

    class Watcher(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if not logs or "loss" not in logs:
                return  # The summary at the end, which repeats nothing of the steps.
            # A figure over samples none of which was scored is None.
            course.logs.append({name: float(logs[name]) for name in _KEPT if logs.get(name) is not None})
            figures = {name: course.logs[-1][name] for name in ("kl", *_CURVES) if name in course.logs[-1]}
            reward = {} if course.rewards[-1] is None else {"reward": course.rewards[-1]}
            course.progress(state.global_step, course.steps, {**reward, **figures})

    return Watcher()


def _tenth(values: Sequence[float | None], end: str) -> float | None:
    """Mean of the first or last tenth of `values`, one at least, those unknown left out; None without any."""
    count = max(1, len(values) // 10)
    part = values[:count] if end == "first" else values[-count:]
    known = [value for value in part if value is not None]
    return sum(known) / len(known) if known else None
