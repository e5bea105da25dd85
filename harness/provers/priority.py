"""What best-first search ranks by: priority = alpha * log-probability + (1 - alpha) * value. Pure.

A sum of log-probabilities is unbounded and falls with depth while V lies in [0, 1], so a plain mixture is
decided by depth. Both terms are therefore put on a stated scale first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import Field

from harness.errors import SpecError
from harness.spec import Spec
from harness.types import Proposal

LEAST_VALUE = 1.0e-6
"""V below this counts as this, so that its logarithm stays finite."""
DECIMALS = 4
"""Priorities are rounded to this: a state scored in another batch may differ in the last bits of a float,
and such a difference must not reorder the search. What comes first of equal ones is for the search to say."""


class PrioritySpec(Spec):
    """How states are ranked: priority = alpha * log-probability + (1 - alpha) * value, each on its scale."""

    _neutral: ClassVar[dict[str, Any]] = {"progress_steps": 20}

    alpha: float = Field(default=0.5, ge=0, le=1)
    """1 ranks by log-probability alone (the value model is never asked), 0 by value alone."""
    logprob_scale: Literal["sum", "mean", "length", "token_mean"] = "sum"
    """`sum` over the path as in the reference; `mean` per step; `length`: sum / steps**length_exponent;
    `token_mean`: sum over the path of each tactic's mean per token, as llmstep's search has it."""
    length_exponent: float = Field(default=0.5, ge=0, le=1)
    """Exponent of `logprob_scale: length`."""
    value_scale: Literal["value", "distance", "progress"] = "distance"
    """`value`: raw V as in the reference; `distance`: log V / log(1/gamma), minus the tactics left;
    `progress`: 1 - tactics left / progress_steps, at least 0, as LeanProgress normalises them."""
    progress_steps: int = Field(default=20, ge=1)
    """Tactics left at which `value_scale: progress` reaches 0."""

    @property
    def idle(self) -> set[str]:
        """Settings without effect: a baseline is the same run at every point of a sweep."""
        idle = {"value_scale"} if self.alpha == 1.0 else set()
        if self.alpha == 1.0 or self.value_scale != "progress":
            idle = idle | {"progress_steps"}
        return idle if self.logprob_scale == "length" else idle | {"length_exponent"}


@dataclass(frozen=True, slots=True)
class Ranking:
    """The settings of the mixture. `gamma` is the discount that the value model was trained with."""

    alpha: float
    logprob_scale: str
    length_exponent: float
    value_scale: str
    gamma: float | None
    progress_steps: int = 20

    @classmethod
    def of(cls, search: PrioritySpec, gamma: float | None) -> Ranking:
        """The ranking of `search`. Raises `SpecError` when the value term cannot be computed."""
        terms = (search.logprob_scale, search.length_exponent, search.value_scale)
        ranking = cls(search.alpha, *terms, gamma, search.progress_steps)
        if ranking.asks_value and search.value_scale != "value":
            check_scale(search.value_scale, gamma)
        return ranking

    @property
    def asks_value(self) -> bool:
        """Whether the value model is needed at all: alpha 1 ranks by log-probability alone."""
        return self.alpha < 1.0

    def gain(self, proposal: Proposal) -> float:
        """What a tactic adds to the log-probability of a path, on this scale."""
        if self.logprob_scale == "token_mean":
            return proposal.logprob / max(1, proposal.tokens)
        return proposal.logprob

    def logprob_term(self, logprob: float, steps: int) -> float:
        """The path's summed gains (natural logarithm) on its scale; 0 for the root."""
        if steps == 0:
            return 0.0
        if self.logprob_scale in ("sum", "token_mean"):
            return logprob
        exponent = 1.0 if self.logprob_scale == "mean" else self.length_exponent
        return float(logprob / steps**exponent)

    def value_term(self, value: float) -> float:
        """V in [0, 1] on its scale: V itself, minus the estimated tactics left, or the share of them done."""
        if self.value_scale == "value":
            return min(1.0, max(0.0, value))
        gamma = check_scale(self.value_scale, self.gamma)
        left = -math.log(min(1.0, max(LEAST_VALUE, value))) / math.log(1.0 / gamma)
        return -left if self.value_scale == "distance" else max(0.0, 1.0 - left / self.progress_steps)

    def priority(self, logprob: float, steps: int, value: float | None) -> float:
        """Priority of a state reached by `steps` tactics; greater is taken first.

        `value` may be None exactly when alpha is 1.
        """
        total = 0.0
        # A weight of zero leaves its term out, so that an infinite one cannot turn into nan.
        if self.alpha > 0.0:
            total += self.alpha * self.logprob_term(logprob, steps)
        if self.asks_value:
            if value is None:
                raise ValueError("a search with alpha below 1 needs the value of every state")
            total += (1.0 - self.alpha) * self.value_term(value)
        return round(total, DECIMALS)


def check_scale(scale: str, gamma: float | None) -> float:
    """`gamma` if tactics left can be computed from it. Raises `SpecError` naming the way out."""
    if gamma is None:
        raise SpecError(
            f"search.value_scale: {scale} needs the gamma that the value model was trained with, and its "
            "checkpoint names none; set search.value_scale: value"
        )
    if not 0.0 < gamma < 1.0:
        raise SpecError(
            f"search.value_scale: {scale} needs a gamma below 1, not {gamma}: every provable state would be "
            "equally far; set search.value_scale: value, or value.gamma below 1"
        )
    return gamma
