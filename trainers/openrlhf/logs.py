"""What OpenRLHF prints, read as curves, and when a curve is a reason to stop. Pure.

A step of GRPO is one line, `Global step N: {...}`, a Python dictionary in which a number may be `nan`; Ray
puts the actor's name before it, and colours even into a file. Supervised training draws a bar anew after each
pass, `Train step of epoch 0:  50%|##| 3/6 [00:04<00:04, 1.3s/it, gpt_loss=0.7, lr=1e-5, grad_norm=2]`.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

FIGURES = {
    "rollout/reward_mean": "reward",
    "score": "proved",
    "kl": "kl",
    "entropy_loss": "entropy",
    "policy_loss": "policy_loss",
    "actor_grad_norm": "grad_norm",
    "actor_lr": "lr",
    "group_reward_std": "group_reward_std",
    "rollout/response_length_mean": "response_length",
    "rollout/truncated_rate": "truncated",
    "rollout/num_samples": "samples",
    "unscored": "unscored",
    "verify_s": "verify_s",
    "dynamic_filtering_pass_rate": "filter_pass_rate",
    "vllm_kl": "vllm_kl",
    "timing/generation": "generation_s",
    "timing/make_experience": "scoring_s",
    "timing/ppo_train": "training_s",
    "timing/broadcast": "broadcast_s",
    "timing/step_total": "step_s",
    "loss": "loss",
    "lr": "lr",
    "of": "of",
}
"""OpenRLHF's name to the run's, and what value training tells in the same form (`step_line`). `proved` and
`unscored` are shares of the step's samples."""

FINITE = ("reward", "policy_loss", "loss", "grad_norm", "kl")
"""Figures whose NaN or infinity spoils the weights."""
COLLAPSE_STEPS = 5
"""Steps in a row that a sign of collapse must last."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_SPEAKER = re.compile(r"^(?:\((?:\w|::)+ pid=\d+(?:, ip=[\d.]+)?\)|\[rank\d+\]:)\s*")
_STEP = re.compile(r"Global step (\d+): (\{.*\})")
_BAR = re.compile(r"Train step of epoch \d+:.*\| (\d+)/(\d+) \[.*?, (gpt_loss=.*)\]")
_SHOWN = re.compile(r"(gpt_loss|lr|grad_norm)=([^,\s]+)")
_EVALUATION = re.compile(r"Evaluation completed in .*?global_step (\d+), eval_metrics: (\{.*\})")
_UNQUOTED = re.compile(r"(?<![\w'\"])(-?)(nan|inf)(?![\w'\"])")
_BUSY = re.compile(r"Generate samples|Train epoch|Saved|checkpoint", re.IGNORECASE)
_ERROR = re.compile(r"^(?:[\w.]+\.)?\w*(?:Error|Exception|Interrupt|Exit)\b.*")


@dataclass(frozen=True, slots=True)
class LoggedStep:
    """A finished training step."""

    number: int
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class LoggedEvaluation:
    """A finished evaluation during training."""

    number: int
    figures: Mapping[str, float]


def plain(line: str) -> str:
    """A line without colours and without the name of Ray's actor or torchrun's rank that printed it."""
    return _SPEAKER.sub("", _COLOUR.sub("", line)).strip()


def read(line: str) -> LoggedStep | LoggedEvaluation | None:
    """What a line tells, if it tells of a step or an evaluation; of a bar the number is of passes."""
    text = plain(line)
    if found := _STEP.search(text):
        figures = _numbers(found[2])
        return LoggedStep(
            int(found[1]), {FIGURES[name]: figures[name] for name in FIGURES if name in figures}
        )
    if found := _BAR.search(text):
        shown = {name.removeprefix("gpt_"): number for name, number in _SHOWN.findall(found[3])}
        return LoggedStep(int(found[1]), {**_floats(shown), "of": float(found[2])})
    if found := _EVALUATION.search(text):
        return LoggedEvaluation(int(found[1]), _numbers(found[2]))
    return None


def step_line(number: int, figures: Mapping[str, float]) -> str:
    """A line that `read` understands."""
    return f"Global step {number}: {dict(figures)}"


def busy(line: str) -> bool:
    """Whether a line shows that work goes on within a step."""
    return _BUSY.search(line) is not None


def _numbers(text: str) -> dict[str, float]:
    """The numbers of a printed dictionary; nothing when it is not one."""
    try:
        values = ast.literal_eval(_UNQUOTED.sub(r"'\1\2'", text))
        return {str(name): float(value) for name, value in values.items() if _numeric(value)}
    except (ValueError, SyntaxError, AttributeError):
        return {}


def _floats(shown: Mapping[str, str]) -> dict[str, float]:
    """The figures of a bar that are numbers."""
    found = {}
    for name, text in shown.items():
        try:
            found[name] = float(text)
        except ValueError:
            continue
    return found


def _numeric(value: object) -> bool:
    return isinstance(value, int | float) or value in ("nan", "inf", "-inf")


def reason(lines: list[str]) -> str:
    """The line of a log's end that says best why a process died."""
    told = [plain(line) for line in lines]
    told = [line for line in told if line]
    errors = [line for line in told if _ERROR.match(line)]
    # Ray and torchrun wrap an error in their own, Ray's with the actor's as its last line.
    wrapped = ("ray.exceptions", "torch.distributed.elastic", "SystemExit")
    best = [line for line in errors if not line.startswith(wrapped)] or errors
    return (best or told or ["it printed nothing"])[-1][:300]


@dataclass
class Alarm:
    """Signs that a training has gone wrong, over its steps."""

    _lasting: dict[str, int] = field(default_factory=dict)

    def raised(self, step: LoggedStep) -> str | None:
        """Why the run should stop after this step, or None."""
        for name in FINITE:
            value = step.figures.get(name, 0.0)
            if not math.isfinite(value):
                return f"step {step.number}: {name} is {value}: the weights are spoilt"
        for sign, seen in _signs(step.figures).items():
            self._lasting[sign] = self._lasting.get(sign, 0) + 1 if seen else 0
            if self._lasting[sign] >= COLLAPSE_STEPS:
                return f"step {step.number}: {sign} for {COLLAPSE_STEPS} steps: the generator has collapsed"
        return None


def _signs(figures: Mapping[str, float]) -> dict[str, bool]:
    return {
        "every proof was cut at the token limit": figures.get("truncated", 0.0) >= 0.999,
        "every proof was empty": figures.get("response_length", math.inf) <= 1.0,
        "the entropy was zero": abs(figures.get("entropy", math.inf)) < 1e-6,
    }
