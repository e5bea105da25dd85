"""What a plan for a node needs to know: the machine, and how OpenRLHF is laid out on it."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from harness.spec import Spec


class ServerSpec(Spec):
    """A server that `harness up` starts and `harness down` ends."""

    _neutral: ClassVar[dict[str, Any]] = {"dtype": None, "enforce_eager": False}

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    """Name of it: lower-case letters, digits, hyphens."""
    kind: Literal["lean", "generator", "value"]
    """`lean`: the own Kimina-compatible server; `generator`: vLLM; `value`: vLLM's pooling runner."""
    port: int = Field(ge=1, le=65535)
    """On 127.0.0.1."""
    model: str | None = None
    """Checkpoint folder or model name, for `generator` and `value`."""
    gpus: tuple[int, ...] = ()
    """Places among the GPUs that may be used; the model is divided over them."""
    memory: float = Field(default=0.9, gt=0, lt=1)
    """Share of those GPUs' memory; servers may share a GPU."""
    context: int | None = Field(default=None, ge=64)
    """Longest sequence in tokens; null: the model's own."""
    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    """Numbers that it computes with; null: as vLLM chooses."""
    enforce_eager: bool = False
    """Without CUDA graphs: starts sooner, generates slower."""
    python: str | None = None
    """Interpreter that has vLLM; null: this one."""
    start_timeout_s: float = Field(default=900.0, gt=0)
    """Seconds until it must be well."""

    @model_validator(mode="after")
    def _has_a_model(self) -> ServerSpec:
        if (self.model is None) != (self.kind == "lean"):
            raise ValueError("model: name one for kind generator and value, and none for lean")
        return self


class ServingSpec(Spec):
    """vLLM servers that a run starts for the checkpoints that it asks, and ends before it trains.

    As many as the node's GPUs allow, each with the whole model; without GPUs one on the CPU.
    """

    _neutral: ClassVar[dict[str, Any]] = {"context": None}

    tensor_parallel: int = Field(default=1, ge=1)
    """GPUs that one server divides the generator over."""
    memory: float = Field(default=0.8, gt=0, lt=1)
    """Share of its GPUs' memory that a generator's server takes."""
    value_memory: float = Field(default=0.1, gt=0, lt=1)
    """Share that a value model's server takes beside it, on the first of these GPUs."""
    context: int | None = Field(default=None, ge=64)
    """Longest sequence of the generator in tokens; null: the model's own."""
    port: int = Field(default=8200, ge=1, le=65000)
    """On 127.0.0.1: of the first; a server's is this plus its GPU's number, value models come after."""
    enforce_eager: bool = False
    """Without CUDA graphs: starts sooner, generates slower."""
    in_flight: int = Field(default=64, ge=1)
    """Requests at a time for each server."""
    timeout_s: float = Field(default=1800.0, gt=0)
    """The longest honest answer, seconds."""
    start_timeout_s: float = Field(default=900.0, gt=0)
    """Seconds until a server must be well."""
    python: str | None = None
    """Interpreter that has vLLM; null: this one."""

    @model_validator(mode="after")
    def _fits_beside(self) -> ServingSpec:
        if self.memory + self.value_memory > 1:
            raise ValueError(
                f"memory: {self.memory:g} and value_memory {self.value_memory:g} are more than 1"
            )
        return self


class NodeSpec(Spec):
    """The machine. Every plan is checked against it before anything starts."""

    _neutral: ClassVar[dict[str, Any]] = {"serving": None}

    gpus: int = Field(default=0, ge=0)
    """GPUs that may be used."""
    gpu_memory_gb: float = Field(default=80.0, gt=0)
    """Memory of one of them, GiB."""
    cpus: int = Field(default=2, ge=1)
    """Host cores."""
    memory_gb: float = Field(default=16.0, gt=0)
    """Host memory, GiB."""
    disk_gb: float | None = Field(default=None, gt=0)
    """Disk that runs may fill, GiB; null asks the disk."""
    servers: tuple[ServerSpec, ...] = ()
    """What `harness up` starts."""
    serving: ServingSpec | None = None
    """Who answers for a generator with a `prompt`, and for value models trained here, in rounds and
    evaluations: vLLM servers of the run's own; null: this process."""

    @model_validator(mode="after")
    def _whole_groups(self) -> NodeSpec:
        if self.serving is not None and self.gpus % self.serving.tensor_parallel:
            raise ValueError(
                f"serving.tensor_parallel: {self.gpus} GPUs are no multiple of {self.serving.tensor_parallel}"
            )
        return self

    @model_validator(mode="after")
    def _servers_fit(self) -> NodeSpec:
        taken: dict[str, str] = {}
        memory: dict[int, float] = {}
        for server in self.servers:
            for what in (f"name {server.name}", f"port {server.port}"):
                if what in taken:
                    raise ValueError(f"servers: {server.name} and {taken[what]} have the same {what}")
                taken[what] = server.name
            for gpu in server.gpus:
                memory[gpu] = memory.get(gpu, 0.0) + server.memory
                if gpu >= self.gpus:
                    raise ValueError(f"servers: {server.name} wants GPU {gpu} of {self.gpus}, counted from 0")
                if memory[gpu] > 1:
                    raise ValueError(f"servers: {server.name} and others want all of GPU {gpu} and more")
        return self


class OpenRlhfSpec(Spec):
    """OpenRLHF's layout and limits. What is trained stands under `grpo` and `expert_iteration`; the latter
    trains on all GPUs of the placement."""

    placement: Literal["split", "colocated"] = "split"
    """`split`: some GPUs train and the others generate; `colocated`: every GPU does both, in turn."""
    train_gpus: int = Field(default=4, ge=1)
    """`split`: GPUs that train; the reference model of a KL term shares them."""
    engines: int = Field(default=4, ge=1)
    """vLLM engines; `colocated`: engines * tensor_parallel must be all GPUs."""
    tensor_parallel: int = Field(default=1, ge=1)
    """GPUs of one engine."""
    vllm_memory: float = Field(default=0.9, gt=0, lt=1)
    """Share of a GPU's memory that an engine takes."""
    enforce_eager: bool = False
    """vLLM without CUDA graphs: starts sooner, generates slower."""
    zero_stage: Literal[2, 3] = 3
    """DeepSpeed: 3 also divides the weights."""
    attention: Literal["flash_attention_2", "sdpa", "eager"] = "flash_attention_2"
    """Attention in training; packing needs flash_attention_2 and the flash-attn package."""
    packing: bool = True
    """Batches by tokens, without padding; without it batches are cut by `micro_batch`."""
    train_tokens_per_gpu: int = Field(default=12288, ge=256)
    """With packing: tokens of one training pass."""
    score_tokens_per_gpu: int = Field(default=24576, ge=256)
    """With packing: tokens of one scoring pass."""
    micro_batch: int = Field(default=4, ge=1)
    """Samples of one pass: of GRPO without packing, and of expert iteration."""
    gradient_checkpointing: bool = True
    """Recompute activations: less memory, more time."""
    chat_template: bool = False
    """Wrap prompts in the model's chat template."""
    kl_estimator: Literal["k2", "k3"] = "k3"
    """Of the KL loss."""
    max_grad_norm: float = Field(default=1.0, gt=0)
    """Gradients are clipped to this norm."""
    dynamic_filter: bool = False
    """Replace prompts whose samples all succeed or all fail; needs packing."""
    save_every: int = Field(default=50, ge=1)
    """Steps between checkpoints; training resumes from the last complete one."""
    keep: int = Field(default=2, ge=2)
    """Checkpoints kept; OpenRLHF deletes an old one before it writes the new, so two at least."""
    evaluate_every: int = Field(default=0, ge=0)
    """Steps between evaluations during training; 0 evaluates only afterwards."""
    evaluate_problems: int = Field(default=128, ge=1)
    """Training theorems, left out of training, that those evaluations use."""
    overlong_tokens: int = Field(default=0, ge=0)
    """Length shaping: proofs longer than the limit less this many tokens lose reward; 0 turns it off."""
    value_bonus: float = Field(default=0.0, ge=0, lt=1)
    """A failed proof earns this times V of the last state that its tactics reach; 0 never asks V."""
    verify_concurrency: int = Field(default=64, ge=1)
    """Proofs of one engine that are checked at once."""
    verify_deadline_s: float = Field(default=900.0, gt=0)
    """Seconds for one proof, all its retries included, after which it is unscored."""
    unscored_in_a_row: int = Field(default=32, ge=1)
    """Unscored proofs of one engine, one after the other, that end the run."""
    start_timeout_s: float = Field(default=3600.0, gt=0)
    """Seconds to the first step."""
    step_timeout_s: float = Field(default=3600.0, gt=0)
    """Seconds without a step that end the run; a run whose steps take long is given three times the last."""
    python: str | None = None
    """Interpreter of the environment that OpenRLHF is installed in; null: this one."""

    @model_validator(mode="after")
    def _fits_together(self) -> OpenRlhfSpec:
        if self.packing and self.attention != "flash_attention_2":
            raise ValueError(f"packing needs attention: flash_attention_2, not {self.attention}")
        if self.dynamic_filter and not self.packing:
            raise ValueError("dynamic_filter needs packing: true, or its uneven batches wait for ever")
        return self


class ValueTrainerSpec(Spec):
    """The value model by transformers' Trainer under torchrun: any backbone, several processes."""

    target: Literal["scalar", "text"] = "scalar"
    """`scalar`: one logit, trained on gamma**d; `text`: a language model that writes d, by OpenRLHF."""
    processes: int = Field(default=1, ge=1)
    """One a GPU; on a CPU as many as it has cores for."""
    micro_batch: int = Field(default=8, ge=1)
    """States of one pass of one process; `value.batch_size` is a multiple of this times the processes."""
    max_tokens: int = Field(default=1024, ge=16)
    """A longer state loses hypotheses, never its goal."""
    bf16: bool = False
    """Compute in bfloat16, on a GPU; the weights stay float32."""
    gradient_checkpointing: bool = False
    """Recompute activations: less memory, more time."""
    save_every: int = Field(default=100, ge=1)
    """Steps between checkpoints that a killed training goes on from."""
    start_timeout_s: float = Field(default=1800.0, gt=0)
    """Seconds to the first step."""
    step_timeout_s: float = Field(default=1800.0, gt=0)
    """Seconds without a step that end the training; where steps take long, three times the last."""
    python: str | None = None
    """Interpreter that is used; null: this one. `text` needs one with OpenRLHF."""
