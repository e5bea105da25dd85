"""From a value model's settings to the value model."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from harness.prompts.embedded import value_prompt
from harness.protocols import Value
from harness.serving.fleet import Fleet, Patience
from harness.serving.models import fleet
from harness.values.kept import AskValue
from harness.values.spec import ClassifierValueSpec, ServerValueSpec, StepsValueSpec


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

    served = ServedValue(servers, spec.model, _ask(spec.prompt))

    async def check() -> None:
        if spec.checkpoint is None:
            await served.score(PROBES)
        else:
            await check_same(served, _classifier(spec.checkpoint, spec.prompt, device, threads))

    return OpenValue(served, True, check, served.close)


def _steps(spec: StepsValueSpec, servers: Fleet) -> OpenValue:
    from harness.policies.openai import ServedModel, ServedName
    from harness.values.served import StepsLeft, StepsValue

    engine = ServedModel(servers, ServedName(spec.model, spec.dialect))
    return OpenValue(
        StepsValue(engine, StepsLeft(spec.template, spec.gamma)), True, engine.check, engine.close
    )


def _classifier(checkpoint: str, prompt: str, device: str, threads: int) -> Value:
    from harness.values.classifier import ClassifierValue

    return ClassifierValue(checkpoint, _ask(prompt), device=device, threads=threads)


def _ask(prompt: str) -> AskValue:
    return value_prompt if prompt == "embedded" else "\n\n".join


async def _nothing() -> None:
    """Nothing to check, nothing to close."""
