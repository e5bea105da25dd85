"""Whether a training by OpenRLHF can work, asked before anything starts: one line each, with key and fix.

OpenRLHF itself does not check: it waits for ever for a GPU or a core that is not there, and dies hours later
of a disk that is full.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.experiment import interpreters
from harness.experiment.spec import ExperimentSpec
from harness.serving import health
from trainers.openrlhf.model_size import BYTES_BF16, BYTES_TRAINED, LlamaShape, longest_text, shape_of
from trainers.openrlhf.plan import RAY_CPUS, gpus_used, training_gpus

GIB = 2**30
PAIRS = {"0.11.2": ("0.29.0", "0.26.0")}
"""OpenRLHF to the vLLM versions that it is known to run with: the wheel's own pin, and one that was tried."""
NEEDED = ("openrlhf", "vllm", "ray", "deepspeed", "transformers", "torch")
GENERATING = ("vllm", "ray")
"""What of these supervised training does without."""
_LOGITS_BYTES = 10
"""Of one logit in training: bf16, its float32 copy and its gradient."""
_ASK_S = 60.0
_HEALTH_S = 5.0


def arithmetic(spec: ExperimentSpec) -> list[str]:
    """What cannot fit, by the settings alone. Pure but for the generator's `config.json`."""
    shape = shape_of(spec)
    shared = [*_gpus_there(spec), *_gpu_memory(spec, shape), *_host(spec, shape)]
    if spec.improve.method == "expert_iteration":
        return [*_texts_shared(spec), *shared]
    return [*_cluster(spec, shape), *_batches(spec), *_lengths(spec, shape), *shared]


def _gpus_there(spec: ExperimentSpec) -> Iterator[str]:
    settings, node = spec.improve.openrlhf, spec.node
    wanted = gpus_used(spec)
    parts = f"{settings.engines} engines x {settings.tensor_parallel}"
    if settings.placement == "split":
        parts = f"{settings.train_gpus} to train + {parts}"
    if wanted > node.gpus:
        yield f"node.gpus: {node.gpus} are there and improve.openrlhf asks for {wanted} ({parts})"


def _cluster(spec: ExperimentSpec, shape: LlamaShape) -> Iterator[str]:
    settings, node, wanted = spec.improve.openrlhf, spec.node, gpus_used(spec)
    if node.cpus < wanted + RAY_CPUS:
        yield f"node.cpus: {node.cpus} are there and Ray wants {wanted + RAY_CPUS}, one a GPU and {RAY_CPUS}"
    if shape.heads % settings.tensor_parallel:
        yield (
            f"improve.openrlhf.tensor_parallel: {shape.heads} heads cannot be shared by "
            f"{settings.tensor_parallel} GPUs; choose a divisor"
        )


def _texts_shared(spec: ExperimentSpec) -> Iterator[str]:
    once, gpus = spec.improve.openrlhf.micro_batch, training_gpus(spec)
    if spec.expert_iteration.batch_size % (once * gpus):
        yield (
            f"expert_iteration.batch_size: {spec.expert_iteration.batch_size} cannot be shared by {gpus} "
            f"GPUs in passes of improve.openrlhf.micro_batch ({once}); make it a multiple of {once * gpus}"
        )


def _batches(spec: ExperimentSpec) -> Iterator[str]:
    settings, grpo = spec.improve.openrlhf, spec.grpo
    samples, actors = grpo.prompts * grpo.samples, training_gpus(spec)
    told = f"grpo.prompts: {grpo.prompts} x {grpo.samples} samples"
    if settings.packing and samples < actors:
        yield f"{told} are fewer than the {actors} GPUs that train; raise it"
    if not settings.packing and samples % (settings.micro_batch * actors):
        yield (
            f"{told} cannot be shared by {actors} GPUs in passes of improve.openrlhf.micro_batch "
            f"({settings.micro_batch}); make it a multiple of {settings.micro_batch * actors}"
        )


def _lengths(spec: ExperimentSpec, shape: LlamaShape) -> Iterator[str]:
    limit, settings = spec.whole_proof.max_new_tokens, spec.improve.openrlhf
    if limit >= shape.context:
        yield (
            f"whole_proof.max_new_tokens: {limit} leaves no room for a prompt in the generator's "
            f"{shape.context} tokens; lower it"
        )
    if settings.overlong_tokens > limit:
        yield f"improve.openrlhf.overlong_tokens: {settings.overlong_tokens} is above the limit of {limit}"
    longest = max(shape.context, 1)
    if settings.packing and settings.train_tokens_per_gpu < longest:
        yield (
            f"improve.openrlhf.train_tokens_per_gpu: {settings.train_tokens_per_gpu} is less than one "
            f"sequence of {longest} tokens; raise it"
        )


def _gpu_memory(spec: ExperimentSpec, shape: LlamaShape) -> Iterator[str]:
    settings, node = spec.improve.openrlhf, spec.node
    actors, weights = training_gpus(spec), shape.parameters
    if settings.zero_stage == 3:
        held = weights * BYTES_TRAINED / actors
    else:
        held = weights * (BYTES_BF16 + (BYTES_TRAINED - BYTES_BF16) / actors)
    rewarded = spec.improve.method == "grpo"
    if rewarded and spec.grpo.kl > 0:
        held += weights * BYTES_BF16 / actors
    if rewarded:
        tokens = settings.train_tokens_per_gpu if settings.packing else settings.micro_batch * shape.context
    else:
        tokens = settings.micro_batch * longest_text(spec, shape.context)
    logits = tokens * shape.vocabulary * _LOGITS_BYTES
    if held + logits > node.gpu_memory_gb * GIB:
        yield (
            f"node.gpu_memory_gb: training needs about {held / GIB:.0f} GiB a GPU for weights and Adam and "
            f"{logits / GIB:.0f} for logits, {node.gpu_memory_gb:g} are there; use more GPUs, or lower "
            f"improve.openrlhf.{'train_tokens_per_gpu (or micro_batch)' if rewarded else 'micro_batch'}"
        )
    if not rewarded:
        return
    taken = settings.vllm_memory * node.gpu_memory_gb * GIB
    if told := crowded(taken, shape, settings.tensor_parallel, shape.context):
        yield f"improve.openrlhf.vllm_memory: an engine's {told}; raise it, or tensor_parallel"


def crowded(taken: float, shape: LlamaShape, parallel: int, tokens: int, weight: int = BYTES_BF16) -> str:
    """Why so many bytes of a GPU do not hold a model of `weight` bytes a parameter and one sequence of
    `tokens`, both divided over `parallel` GPUs; empty where they do."""
    model = shape.parameters * weight / parallel
    cache = tokens * shape.cache_bytes_per_token * weight / BYTES_BF16 / parallel
    if model + cache <= taken:
        return ""
    return (
        f"{taken / GIB:.1f} GiB do not hold {model / GIB:.1f} GiB of weights and {cache / GIB:.1f} of one "
        "sequence's keys and values"
    )


def _host(spec: ExperimentSpec, shape: LlamaShape) -> Iterator[str]:
    settings, node, weights = spec.improve.openrlhf, spec.node, shape.parameters
    if settings.placement == "colocated" and spec.improve.method == "grpo":
        # A sleeping engine keeps its weights in host memory, and so does Adam its state.
        asleep = weights * (BYTES_BF16 * settings.engines + BYTES_TRAINED - 2 * BYTES_BF16)
        if asleep > 0.7 * node.memory_gb * GIB:
            yield (
                f"node.memory_gb: colocated engines and Adam asleep take {asleep / GIB:.0f} GiB of host "
                f"memory, {node.memory_gb:g} are there and Ray takes 30 % of them; use placement: split"
            )
    needed = disk_bytes(spec, shape)
    if node.disk_gb is not None and needed > node.disk_gb * GIB:
        yield f"node.disk_gb: {_disk(spec, needed)}, {node.disk_gb:g} are there"


def disk_bytes(spec: ExperimentSpec, shape: LlamaShape) -> int:
    """What the checkpoints of one training take at most."""
    keep = spec.improve.openrlhf.keep
    resumable = shape.parameters * (BYTES_TRAINED - BYTES_BF16)
    served = shape.parameters * BYTES_BF16
    return keep * resumable + (keep + 2) * served


def _disk(spec: ExperimentSpec, needed: int) -> str:
    return f"{spec.improve.openrlhf.keep} checkpoints and the models beside them take {needed / GIB:.1f} GiB"


def machine(spec: ExperimentSpec, root: Path) -> list[str]:
    """What is missing on this machine: GPUs, packages, Lean servers, space under the runs folder `root`."""
    return [*_gpus(spec), *_packages(spec), *_lean(spec), *_space(spec, root)]


def _gpus(spec: ExperimentSpec) -> Iterator[str]:
    wanted, found = gpus_used(spec), visible_gpus(os.environ)
    if found < wanted:
        there = "no GPU is" if not found else f"{found} GPU{' is' if found == 1 else 's are'}"
        yield (
            f"node.gpus: improve.backend: openrlhf uses {wanted} and {there} in sight here; run it on such a "
            "machine, set improve.backend: local, or look at it with `harness plan`"
        )


def visible_gpus(environment: Mapping[str, str]) -> int:
    """GPUs that a process started here would see."""
    named = environment.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return len([item for item in named.split(",") if item.strip() not in ("", "-1", "NoDevFiles")])
    program = shutil.which("nvidia-smi", path=environment.get("PATH"))
    if program is None:
        return 0
    try:
        asked = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=_ASK_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return 0
    return sum(line.startswith("GPU ") for line in asked.stdout.splitlines())


def _packages(spec: ExperimentSpec) -> Iterator[str]:
    settings = spec.improve.openrlhf
    key = "improve.openrlhf.python" if settings.python else "improve.backend"
    where = settings.python or sys.executable
    found = versions(settings.python)
    if found is None:
        yield f"{key}: {where} does not run; name the Python of an environment with OpenRLHF"
        return
    rewarded = spec.improve.method == "grpo"
    needed = NEEDED if rewarded else (name for name in NEEDED if name not in GENERATING)
    missing = [name for name in (*needed, "flash_attn") if name not in found]
    if missing:
        yield (
            f"{key}: {where} lacks {', '.join(missing)}; in an environment of its own: "
            "pip install 'openrlhf[vllm]==0.11.2' and name its Python in improve.openrlhf.python"
        )
        return
    known = PAIRS.get(found["openrlhf"])
    if known is None:
        yield f"{key}: OpenRLHF {found['openrlhf']} has other flags than the plan; install {', '.join(PAIRS)}"
    elif rewarded and found["vllm"].partition("+")[0] not in known:
        yield (
            f"{key}: OpenRLHF {found['openrlhf']} and vLLM {found['vllm']} were never tried together; "
            f"install vllm=={known[0]}"
        )
    if settings.packing and found["flash_attn"] == interpreters.UNKNOWN:
        yield "improve.openrlhf.packing: needs the real flash-attn package; install it, or set packing: false"


def _lean(spec: ExperimentSpec) -> Iterator[str]:
    for url in spec.lean.urls if spec.lean.service == "kimina" else ():
        try:
            health.status(url, _HEALTH_S)
        except (OSError, ValueError) as cause:
            yield f"lean.urls: {url} cannot be reached ({cause}); start the server, or mend the address"


def versions(python: str | None) -> dict[str, str] | None:
    """Versions of what is needed and installed under that interpreter (None: this one); None: it fails."""
    return interpreters.versions(python, (*NEEDED, "flash_attn"))


def _space(spec: ExperimentSpec, root: Path) -> Iterator[str]:
    if spec.node.disk_gb is not None:
        return
    place = next(path for path in (root.absolute(), *root.absolute().parents) if path.exists())
    free, needed = shutil.disk_usage(place).free, disk_bytes(spec, shape_of(spec))
    if needed > free:
        yield f"--runs {root}: {_disk(spec, needed)} and {free / GIB:.1f} are free; name another folder"
