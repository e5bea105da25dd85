"""Checkpoints behind the servers that a run starts: how they are asked, and their first answers."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TypeVar

from harness import checkpoints
from harness.errors import BadReply
from harness.experiment import interpreters
from harness.experiment.servers import ModelServer
from harness.experiment.spec import ExperimentSpec
from harness.policies.engine import Ask, Decoding
from harness.policies.opening import ComputePlace, OpenModel, open_policy
from harness.policies.spec import ServerPolicySpec
from harness.prompts.prompt import Prompt
from harness.serving.weights import revision_of
from harness.values.opening import OpenValue, open_value
from harness.values.reading import STATE_FORMAT
from harness.values.spec import ServerValueSpec

Opened = TypeVar("Opened", OpenModel, OpenValue)
PROBE = Ask(Prompt(text="theorem"), 1, 0)
READ_ON = "cpu"
"""A served value model is read here too, to cut long states as it was trained to, and to be compared with;
the GPUs belong to the servers."""


def policy(urls: Sequence[str], checkpoint: Path, spec: ExperimentSpec) -> ServerPolicySpec:
    """How the generator at `checkpoint` is asked. Raises `UserError` for a folder without weights."""
    asked, how = spec.generator, spec.serving
    assert asked.prompt is not None and how is not None
    return ServerPolicySpec(
        model=checkpoint.name,
        revision=revision_of(str(checkpoint), None, "generator"),
        prompt=asked.prompt,
        urls=tuple(urls),
        in_flight=how.in_flight,
        timeout_s=how.timeout_s,
    )


def value(urls: Sequence[str], checkpoint: Path, spec: ExperimentSpec) -> ServerValueSpec:
    """How the value model at `checkpoint` is asked. Raises `UserError` for a damaged one."""
    how = spec.serving
    assert how is not None
    reads = checkpoints.intact(checkpoint, "value").prompt_format
    return ServerValueSpec(
        model=checkpoint.name,
        prompt="state" if reads == STATE_FORMAT else "embedded",
        checkpoint=str(checkpoint),
        urls=tuple(urls),
        in_flight=how.in_flight,
        timeout_s=how.timeout_s,
    )


def by(spec: ExperimentSpec) -> dict[str, dict[str, str]]:
    """Version of what answers for the experiment's own models; nothing where they compute in this process."""
    if spec.serving is None:
        return {}
    return {"served_by": interpreters.versions(spec.serving.python, ("vllm",)) or {}}


async def probe(servers: Sequence[ModelServer], spec: ExperimentSpec) -> None:
    """Ask each server for a first answer; the first of a value model is compared with its checkpoint.

    Raises `UserError` for one that serves other weights or gives other values than the checkpoint does,
    `InfraError` for one that gives none.
    """
    read: set[str] = set()
    for server in servers:
        assert server.model is not None
        checkpoint = Path(server.model)
        if server.kind == "value":
            named = value([server.url], checkpoint, spec)
            whole = named if server.model not in read else named.model_copy(update={"checkpoint": None})
            read.add(server.model)
            async with _closing(open_value(whole, device=READ_ON, threads=spec.runtime.threads)) as opened:
                await opened.check()
            continue
        async with _closing(open_policy(policy([server.url], checkpoint, spec), ComputePlace())) as model:
            await model.check()
            [answer] = await model.engine.complete([PROBE], Decoding("greedy", 1))
            if not answer.completions:
                raise BadReply(f"{server.name}: gave no first answer: {answer.overflow}")


@contextlib.asynccontextmanager
async def _closing(opened: Opened) -> AsyncIterator[Opened]:
    try:
        yield opened
    finally:
        await opened.close()
