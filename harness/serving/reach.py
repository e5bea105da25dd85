"""Where servers are, and how they are asked: settings that every served model has."""

from __future__ import annotations

from pydantic import Field

from harness.spec import Spec


class ReachSpec(Spec):
    """Servers of one model, and how they are asked."""

    urls: tuple[str, ...] = Field(min_length=1)
    """Where they are, like http://127.0.0.1:8000; the key is read from MODEL_SERVER_API_KEY."""
    in_flight: int = Field(default=64, ge=1)
    """Requests at a time for each server."""
    timeout_s: float = Field(default=600.0, gt=0)
    """The longest honest answer, seconds."""
    wait_s: float = Field(default=60.0, ge=0)
    """How long a request is tried again while servers are down or have no room, seconds."""


WHERE = frozenset(ReachSpec.model_fields)
"""Settings that change no answer."""
