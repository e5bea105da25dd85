"""What one attempt of a search may spend. Counted exactly, never one more; the clock is only a safety net."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from harness.spec import Spec


class BudgetSpec(Spec):
    """Limits of one attempt."""

    _neutral: ClassVar[dict[str, Any]] = {"tokens": None}

    expansions: int = Field(default=64, ge=1)
    """Budget: nodes for which the policy is asked. Exact, never one more."""
    tactic_calls: int = Field(default=1024, ge=1)
    """Budget: tactics applied in Lean."""
    tokens: int | None = Field(default=None, ge=1)
    """Budget: tokens that the policy generates; it is not asked where it might go over. null: no limit."""
    wall_clock_s: float = Field(default=600.0, gt=0)
    """Safety net; a search that it stops says so."""
