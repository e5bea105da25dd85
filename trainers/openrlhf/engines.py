"""Whether the servers that a run starts by itself can work, asked before anything starts: one line each."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Iterator

from harness.experiment import interpreters, starting
from harness.experiment.gpus import visible
from harness.experiment.node import ServingSpec
from harness.experiment.servers import planned, serves_values
from harness.experiment.spec import ExperimentSpec
from trainers.openrlhf.checks import GIB, crowded
from trainers.openrlhf.model_size import BYTES_BF16, shape_of, value_shape_of

_FLOAT32 = 4


def arithmetic(spec: ExperimentSpec) -> list[str]:
    """What cannot fit, by the settings alone."""
    how = spec.serving
    if how is None:
        return []
    return [*_generators(spec, how), *(_values(spec, how) if serves_values(spec) else [])]


def _generators(spec: ExperimentSpec, how: ServingSpec) -> Iterator[str]:
    shape, node = shape_of(spec), spec.node
    if shape.heads % how.tensor_parallel:
        yield (
            f"node.serving.tensor_parallel: {shape.heads} heads cannot be shared by {how.tensor_parallel} "
            "GPUs; choose a divisor"
        )
    limit, tokens = spec.whole_proof.max_new_tokens, how.context or shape.context
    if limit >= tokens:
        yield (
            f"whole_proof.max_new_tokens: {limit} leaves no room for a prompt in the {tokens} tokens that "
            "are served (node.serving.context); lower it"
        )
    weight = _FLOAT32 if spec.generator.dtype == "float32" else BYTES_BF16
    taken = how.memory * node.gpu_memory_gb * GIB
    if node.gpus and (told := crowded(taken, shape, how.tensor_parallel, tokens, weight)):
        yield f"node.serving.memory: a server's {told}; raise it, or tensor_parallel"


def _values(spec: ExperimentSpec, how: ServingSpec) -> Iterator[str]:
    shape = value_shape_of(spec)
    tokens = shape.context if spec.value.trainer is None else spec.value.trainer.max_tokens
    taken = how.value_memory * spec.node.gpu_memory_gb * GIB
    if spec.node.gpus and (told := crowded(taken, shape, 1, tokens, _FLOAT32)):
        yield f"node.serving.value_memory: a server's {told}; raise it"


def machine(spec: ExperimentSpec, ours: Collection[int] = (), patience_s: float = 0.0) -> Iterator[str]:
    """What is missing on this machine: GPUs, vLLM, ports.

    `ours`: ports that servers of this process have; on others it waits up to `patience_s`.
    """
    how = spec.serving
    if how is None:
        return
    found, where, devices = (
        interpreters.versions(how.python, ("vllm",)),
        how.python or sys.executable,
        visible(),
    )
    if found is None:
        yield f"node.serving.python: {where} does not run; name the Python of an environment with vLLM"
    elif "vllm" not in found:
        yield (
            f"node.serving.python: {where} lacks vllm; install the extra vllm in an environment of its own "
            "and name its Python, or set node.serving: null"
        )
    if spec.node.gpus and len(devices) < how.tensor_parallel:
        yield (
            f"node.gpus: a server of node.serving wants {how.tensor_parallel} and {len(devices) or 'none'} "
            f"{'are' if len(devices) > 1 else 'is'} in sight here; run it on such a machine, or set "
            "node.serving: null"
        )
        return
    until = time.monotonic() + patience_s
    for server in planned(spec, devices):
        if server.port not in ours and (told := starting.port_taken(server, until)):
            yield f"node.serving.port: {told}"
