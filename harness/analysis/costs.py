"""What an attempt and a proof cost: tokens, seconds of Lean and of GPUs, dollars; failures are paid. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Field

from harness.analysis.summary import Summary
from harness.spec import Spec


class Prices(Spec):
    """US dollars for what a run spends; null: not charged."""

    gpu_hour: float | None = Field(default=None, ge=0)
    """One GPU for an hour, from the start to the end of the run."""
    lean_hour: float | None = Field(default=None, ge=0)
    """One CPU busy with Lean for an hour."""
    million_prompt_tokens: float | None = Field(default=None, ge=0)
    million_completion_tokens: float | None = Field(default=None, ge=0)

    @property
    def charged(self) -> bool:
        """Whether anything has a price."""
        return any(getattr(self, name) is not None for name in type(self).model_fields)


@dataclass(frozen=True, slots=True)
class Cost:
    """Totals of one row over its scored attempts. None: not known."""

    attempts: int
    proofs: int
    tokens: float
    """Written by the generator, as in budgets and comparisons; those that it read count in dollars alone."""
    lean_s: float
    """Tactics and checks."""
    gpu_s: float | None
    """Time from start to end times the number of GPUs; 0 on a machine without."""
    dollars: float | None

    def per(self, what: str) -> dict[str, float | None]:
        """`tokens`, `lean_s`, `gpu_s` and `dollars` for one `attempt` or one `proof`; None without any."""
        n = self.attempts if what == "attempt" else self.proofs
        totals = {"tokens": self.tokens, "lean_s": self.lean_s, "gpu_s": self.gpu_s, "dollars": self.dollars}
        return {key: total / n if n and total is not None else None for key, total in totals.items()}


def cost(
    summary: Summary, sessions: Sequence[Mapping[str, Any]] | None, prices: Prices | None = None
) -> Cost:
    """The cost of a summary's attempts, made in these sessions (None: unknown which)."""
    effort = summary.effort
    lean_s = effort.lean_s + effort.verify_s
    gpu_s = gpu_seconds(sessions or ())
    dollars = None
    if prices is not None and prices.charged:
        priced = [
            (prices.gpu_hour, None if gpu_s is None else gpu_s / 3600),
            (prices.lean_hour, lean_s / 3600),
            (prices.million_prompt_tokens, effort.prompt_tokens / 1e6),
            (prices.million_completion_tokens, effort.completion_tokens / 1e6),
        ]
        parts = [(price, amount) for price, amount in priced if price is not None]
        known = [price * amount for price, amount in parts if amount is not None]
        dollars = sum(known) if len(known) == len(parts) else None
    return Cost(summary.scored, summary.proofs, float(effort.completion_tokens), lean_s, gpu_s, dollars)


def gpu_seconds(sessions: Sequence[Mapping[str, Any]]) -> float | None:
    """Seconds times GPUs of all sessions; None without any, and where one was cut off before its end."""
    total = 0.0
    for session in sessions:
        gpus = session.get("gpus")
        if not isinstance(gpus, list):
            return None
        if gpus:
            seconds = _elapsed(session)
            if seconds is None:
                return None
            total += seconds * len(gpus)
    return total if sessions else None


def _elapsed(session: Mapping[str, Any]) -> float | None:
    try:
        ends = [datetime.fromisoformat(str(session[key])) for key in ("started_at", "finished_at")]
    except (KeyError, ValueError):
        return None
    return max(0.0, (ends[1] - ends[0]).total_seconds())
