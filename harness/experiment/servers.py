"""The servers of a profile and those that a run starts, as processes: arguments, addresses, GPUs. Pure."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.errors import UserError
from harness.experiment.node import ServerSpec, ServingSpec
from harness.experiment.spec import ExperimentSpec
from harness.processes.kept import Process
from harness.spec import LeanSpec

HOST = "127.0.0.1"
VLLM = "vllm.entrypoints.openai.api_server"


@dataclass(frozen=True, slots=True)
class ModelServer:
    """A process that listens."""

    kind: str
    process: Process
    port: int
    start_timeout_s: float
    model: str | None = None
    """Folder or name of what it serves."""

    @property
    def name(self) -> str:
        """Its name in the profile."""
        return self.process.name

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://{HOST}:{self.port}"

    @property
    def name_served(self) -> str:
        """What its model is asked for by."""
        return _name_served(self.model or "")


def servers(spec: ExperimentSpec, folder: Path) -> list[ModelServer]:
    """The servers of `spec`, with their logs in `folder`."""
    return [_server(item, spec.lean, folder) for item in spec.node.servers]


@dataclass(frozen=True, slots=True)
class ToServe:
    """Checkpoints that are asked together, by their folders."""

    generators: tuple[str, ...]
    values: tuple[str, ...] = ()


def of_run(spec: ExperimentSpec, asked: ToServe, devices: Sequence[str], folder: Path) -> list[ModelServer]:
    """The servers that a run starts for `asked`, generators first, with their logs in `folder`.

    `devices`: the GPUs that may be used, as CUDA names them. Groups of them are dealt out to the generators,
    and again to the value models. Raises `UserError` where they are fewer than checkpoints of a kind.
    """
    found = [
        *_dealt(spec, "generator", asked.generators, devices[: spec.node.gpus]),
        *_dealt(spec, "value", asked.values, devices[: spec.node.gpus]),
    ]
    return [_server(item, spec.lean, folder) for item in found]


def serves_values(spec: ExperimentSpec) -> bool:
    """Whether value models trained here are among what is asked."""
    measured = any(spec.prover(item).asks_value for item in spec.evaluations)
    guides = spec.rounds > 1 and spec.trajectories.asks_value
    return guides or (measured and spec.value_model is None)


def planned(spec: ExperimentSpec, devices: Sequence[str] | None = None) -> list[ModelServer]:
    """`of_run` before the checkpoints are there; without `devices` on all GPUs of the node."""
    if devices is None:
        devices = [str(number) for number in range(spec.node.gpus)]
    values = ("RUNS/stages/value-DIGEST",) if serves_values(spec) else ()
    asked = ToServe(("RUNS/stages/grpo-DIGEST",), values)
    return of_run(spec, asked, devices, Path("RUNS/stages/trajectories-DIGEST/servers"))


def on_gpus(gpus: Sequence[int]) -> str:
    """` on GPUs 0 to 3`, for people; empty without any."""
    if len(gpus) < 2:
        return f" on GPU {gpus[0]}" if gpus else ""
    return f" on GPUs {gpus[0]} to {gpus[-1]}"


def _dealt(
    spec: ExperimentSpec, kind: Literal["generator", "value"], models: Sequence[str], devices: Sequence[str]
) -> Iterator[ServerSpec]:
    how = spec.node.serving
    assert how is not None
    each = how.tensor_parallel
    groups = [tuple(range(first, first + each)) for first in range(0, len(devices) - each + 1, each)]
    if spec.node.gpus and len(models) > len(groups):
        raise UserError(
            f"node.serving: {len(models)} {kind}{'s are' if len(models) > 1 else ' is'} asked at a time and "
            f"the {len(devices)} GPUs in sight here hold {len(groups)} servers; run it where there are more, "
            "or set node.serving: null"
        )
    first = how.port + (max(spec.node.gpus, len(models)) if kind == "value" else 0)
    for number, group in enumerate(groups or [() for _ in models]):
        if models:
            place = devices[group[0]] if group else ""
            yield ServerSpec(
                name=f"{kind}-{number}",
                kind=kind,
                model=models[number % len(models)],
                # Two points of a sweep at once have other GPUs, and so other ports.
                port=first + (int(place) if place.isdecimal() else number),
                **_how(spec, how, kind, group),
            )


def _how(
    spec: ExperimentSpec, how: ServingSpec, kind: Literal["generator", "value"], group: tuple[int, ...]
) -> dict[str, Any]:
    shared = {
        "enforce_eager": how.enforce_eager,
        "python": how.python,
        "start_timeout_s": how.start_timeout_s,
    }
    if kind == "generator":
        own = {"gpus": group, "memory": how.memory, "context": how.context, "dtype": spec.generator.dtype}
        return shared | own
    trainer = spec.value.trainer
    context = None if trainer is None else trainer.max_tokens
    # As it computes in this process.
    own = {"gpus": group[:1], "memory": how.value_memory, "context": context, "dtype": "float32"}
    return shared | own


def _server(item: ServerSpec, lean: LeanSpec, folder: Path) -> ModelServer:
    process = Process(
        name=item.name,
        argv=tuple(_lean(item, lean) if item.kind == "lean" else _vllm(item)),
        environment={
            "PYTHONUNBUFFERED": "1",
            "VLLM_NO_USAGE_STATS": "1",
            "VLLM_USE_FLASHINFER_SAMPLER": "0",
            # Another environment's vLLM must not find this one's packages first.
            **({} if item.python is None else {"PYTHONPATH": ""}),
        },
        dropped=("WANDB_API_KEY",),
        gpus=item.gpus,
        cpus=lean.workers if item.kind == "lean" else 1,
        files=(),
        log=folder / f"{item.name}.log",
    )
    return ModelServer(item.kind, process, item.port, item.start_timeout_s, item.model)


def _name_served(model: str) -> str:
    return model.rstrip("/").rpartition("/")[2]


def _lean(item: ServerSpec, lean: LeanSpec) -> Iterator[str]:
    yield from (sys.executable, "-m", "harness", "serve", "lean", "--host", HOST, "--port", str(item.port))
    yield from ("--workers", str(lean.workers), "--timeout", str(lean.timeout_s))
    yield from ("--memory-mb", str(lean.memory_mb))
    if lean.project is not None:
        yield from ("--project", lean.project)


def _vllm(item: ServerSpec) -> Iterator[str]:
    assert item.model is not None
    yield from (item.python or sys.executable, "-m", VLLM, "--host", HOST, "--port", str(item.port))
    yield from ("--model", item.model, "--served-model-name", _name_served(item.model))
    if item.kind == "value":
        yield from ("--runner", "pooling")
    if item.gpus:
        yield from ("--tensor-parallel-size", str(len(item.gpus)))
        yield from ("--gpu-memory-utilization", str(item.memory))
    elif item.kind == "generator":
        # vLLM's build for the CPU dies of a seeded request whose prompt it takes in two parts.
        yield "--no-enable-chunked-prefill"
    if item.context is not None:
        yield from ("--max-model-len", str(item.context))
    if item.dtype is not None:
        yield from ("--dtype", item.dtype)
    if item.enforce_eager:
        yield "--enforce-eager"
