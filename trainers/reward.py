"""What a verdict is worth to reinforcement learning."""

from __future__ import annotations

from harness.types import Status, Verdict


def reward(verdict: Verdict) -> float | None:
    """PROVED 1.0; REJECTED and TIMEOUT 0.0; INFRA None, that is not scored: it teaches nothing either way."""
    match verdict.status:
        case Status.PROVED:
            return 1.0
        case Status.REJECTED | Status.TIMEOUT:
            return 0.0
        case Status.INFRA:
            return None
