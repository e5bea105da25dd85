"""From a value model's settings to the value model."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness import checkpoints
from harness.prompts.embedded import value_prompt
from harness.protocols import Value
from harness.serving.fleet import Fleet, Patience
from harness.serving.models import fleet
from harness.values.kept import AskValue
from harness.values.reading import STATE_FORMAT
from harness.values.spec import ClassifierValueSpec, ServerValueSpec, StepsValueSpec

if TYPE_CHECKING:
    from harness.values.classifier import ClassifierValue


@dataclass(frozen=True, slots=True)
class OpenValue:
    """A value model, and what belongs to it."""

    value: Value
    overlaps: bool
    """Its calls overlap and are merged behind it; else one call computes at a time, and batches pay."""
    check: Callable[[], Awaitable[None]]
    """Raises when it cannot be asked, or is not the checkpoint that it is said to be."""
    close: Callable[[], Awaitable[None]]
    """Ends its connections; the value model stays usable."""


def open_value(
    spec: ServerValueSpec | ClassifierValueSpec | StepsValueSpec, *, device: str = "cpu", threads: int = 2
) -> OpenValue:
    """The value model of `spec`. Raises `UserError` for one that cannot be loaded and for what is no URL."""
    if isinstance(spec, ClassifierValueSpec):
        return OpenValue(
            _classifier(spec.checkpoint, spec.prompt, device, threads), False, _nothing, _nothing
        )
    servers = fleet(spec.urls, "value_model.urls", spec.in_flight, spec.timeout_s, Patience(spec.wait_s))
    if isinstance(spec, StepsValueSpec):
        return _steps(spec, servers)
    from harness.values.served import PROBES, ServedValue, check_same

    ask, checkpoint = _ask(spec.prompt), spec.checkpoint
    if checkpoint is None:
        served = ServedValue(servers, spec.model, ask)
        return OpenValue(served, True, lambda: _answers(served.score(PROBES)), served.close)
    local = _classifier(checkpoint, spec.prompt, device, threads)
    fitting = ServedValue(servers, spec.model, lambda goals: local.reader.fitted(ask(goals)))
    return OpenValue(fitting, True, lambda: check_same(fitting, local), fitting.close)


async def _answers(asked: Awaitable[object]) -> None:
    await asked


def open_trained(checkpoint: Path, *, threads: int, device: str = "cpu") -> Value:
    """The value model that was trained here, whatever its backbone.

    Raises `UserError` when the folder is missing, incomplete, damaged or holds no value model.
    """
    if checkpoints.read(checkpoint, "value").prompt_format == STATE_FORMAT:
        checkpoints.intact(checkpoint, "value")
        return _classifier(str(checkpoint), "state", device, threads)
    from harness.values.local import LocalValue

    return LocalValue.load(checkpoint, threads=threads, device=device)


def _steps(spec: StepsValueSpec, servers: Fleet) -> OpenValue:
    from harness.policies.openai import ServedModel, ServedName
    from harness.values.served import StepsLeft, StepsValue

    engine = ServedModel(servers, ServedName(spec.model, spec.dialect, spec.revision, "value_model"))
    return OpenValue(
        StepsValue(engine, StepsLeft(spec.template, spec.gamma)), True, engine.check, engine.close
    )


def _classifier(checkpoint: str, prompt: str, device: str, threads: int) -> ClassifierValue:
    from harness.values.classifier import ClassifierValue

    return ClassifierValue(checkpoint, _ask(prompt), device=device, threads=threads)


def _ask(prompt: str) -> AskValue:
    return value_prompt if prompt == "embedded" else "\n\n".join


async def _nothing() -> None:
    """Nothing to check, nothing to close."""
