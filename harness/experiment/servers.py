"""The servers of a profile as processes: argument lists, addresses, GPUs. Pure."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.experiment.node import ServerSpec
from harness.experiment.spec import ExperimentSpec
from harness.processes.kept import Process
from harness.spec import LeanSpec

HOST = "127.0.0.1"
VLLM = "vllm.entrypoints.openai.api_server"


@dataclass(frozen=True, slots=True)
class Server:
    """A process that listens."""

    kind: str
    process: Process
    port: int
    start_timeout_s: float

    @property
    def name(self) -> str:
        """Its name in the profile."""
        return self.process.name

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://{HOST}:{self.port}"


def servers(spec: ExperimentSpec, folder: Path) -> list[Server]:
    """The servers of `spec`, with their logs in `folder`."""
    return [_server(item, spec.lean, folder) for item in spec.node.servers]


def _server(item: ServerSpec, lean: LeanSpec, folder: Path) -> Server:
    process = Process(
        name=item.name,
        argv=tuple(_lean(item, lean) if item.kind == "lean" else _vllm(item)),
        environment={
            "PYTHONUNBUFFERED": "1",
            "VLLM_NO_USAGE_STATS": "1",
            "VLLM_USE_FLASHINFER_SAMPLER": "0",
        },
        dropped=("WANDB_API_KEY",),
        gpus=item.gpus,
        cpus=lean.workers if item.kind == "lean" else 1,
        files=(),
        log=folder / f"{item.name}.log",
    )
    return Server(item.kind, process, item.port, item.start_timeout_s)


def _lean(item: ServerSpec, lean: LeanSpec) -> Iterator[str]:
    yield from (sys.executable, "-m", "harness", "serve", "lean", "--host", HOST, "--port", str(item.port))
    yield from ("--workers", str(lean.workers), "--timeout", str(lean.timeout_s))
    yield from ("--memory-mb", str(lean.memory_mb))
    if lean.project is not None:
        yield from ("--project", lean.project)


def _vllm(item: ServerSpec) -> Iterator[str]:
    assert item.model is not None
    yield from (item.python or sys.executable, "-m", VLLM, "--host", HOST, "--port", str(item.port))
    yield from ("--model", item.model, "--served-model-name", item.model.rstrip("/").rpartition("/")[2])
    if item.kind == "value":
        yield from ("--runner", "pooling")
    if item.gpus:
        yield from ("--tensor-parallel-size", str(len(item.gpus)))
        yield from ("--gpu-memory-utilization", str(item.memory))
    if item.context is not None:
        yield from ("--max-model-len", str(item.context))
