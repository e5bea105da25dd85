"""The processes of a GRPO training by OpenRLHF: argument lists, environment, GPUs and files. Pure.

The flags are those of the wheel `openrlhf==0.11.2` (`python -m openrlhf.cli.train_ppo_ray --help`), which
differ from its README's. Defaults that hurt are spelled out: a KL term of 0.01, a reference model on eight
GPUs of its own, 95 % of a GPU for vLLM, a cosine schedule, no checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.experiment.node import OpenRlhfSpec
from harness.experiment.spec import ExperimentSpec, GrpoSpec
from harness.processes.kept import Process
from trainers.judge import SETTINGS_VARIABLE

CLI = "openrlhf.cli.train_ppo_ray"
AGENT = Path(__file__).with_name("agent.py")
BETAS = ("0.9", "0.98")
RAY_CPUS = 1
"""Cores that Ray wants for the controller, beside one for each GPU."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a training stands on the disk."""

    run: Path
    """Its folder: data, logs, checkpoints."""
    model: str
    """The generator it starts from: a folder, or a model name."""
    python: str
    """Interpreter that OpenRLHF is installed in."""
    scratch: Path
    """A short path for Ray's sockets, whose names may have 107 characters."""
    context: int
    """Tokens of prompt and proof together."""
    max_new_tokens: int
    """Tokens of a proof."""
    seed: int
    resume: bool = False
    """Go on from the last complete checkpoint."""

    @property
    def rows(self) -> Path:
        """The prompts, in JSON lines."""
        return self.run / "prompts.jsonl"

    @property
    def held_out(self) -> Path:
        """The prompts of evaluations during training."""
        return self.run / "held_out.jsonl"

    @property
    def problems(self) -> Path:
        """The problems behind the prompts."""
        return self.run / "problems.jsonl"

    @property
    def reward(self) -> Path:
        """What the agent is told."""
        return self.run / "reward.json"

    @property
    def checkpoints(self) -> Path:
        """OpenRLHF's checkpoints, DeepSpeed's and Hugging Face's."""
        return self.run / "ckpt"

    @property
    def final(self) -> Path:
        """The trained model, written after the last step."""
        return self.run / "final"


def trainer(spec: ExperimentSpec, layout: Layout) -> Process:
    """The one process that trains: it starts Ray, vLLM and DeepSpeed as its own children."""
    settings = spec.improve.openrlhf
    evaluates = settings.evaluate_every > 0
    gpus = gpus_used(spec)
    files = (layout.rows, layout.problems, layout.reward, *((layout.held_out,) if evaluates else ()))
    return Process(
        name="grpo",
        argv=(layout.python, "-m", CLI, *arguments(spec, layout)),
        environment={
            SETTINGS_VARIABLE: str(layout.reward),
            "PYTHONUNBUFFERED": "1",
            "RAY_DEDUP_LOGS": "0",  # Ray would drop lines that look alike, as one step's and the next one's.
            "RAY_TMPDIR": str(layout.scratch),
            "RAY_USAGE_STATS_ENABLED": "0",
            "VLLM_NO_USAGE_STATS": "1",
            # An engine dies at its start where FlashInfer is not installed, and plain sampling needs it not.
            "VLLM_USE_FLASHINFER_SAMPLER": "0",
        },
        # Somebody else's cluster would take the run in, or keep it waiting for ever.
        dropped=("RAY_ADDRESS", "RAY_JOB_CONFIG_JSON_ENV_VAR", "WANDB_API_KEY"),
        gpus=tuple(range(gpus)),
        cpus=gpus + RAY_CPUS,
        files=files,
        log=layout.run / "openrlhf.log",
    )


def gpus_used(spec: ExperimentSpec) -> int:
    """GPUs that the placement takes."""
    settings = spec.improve.openrlhf
    generating = settings.engines * settings.tensor_parallel
    return generating if settings.placement == "colocated" else generating + settings.train_gpus


def training_gpus(spec: ExperimentSpec) -> int:
    """GPUs among them that hold a copy of the model in training; in expert iteration nothing generates."""
    settings = spec.improve.openrlhf
    apart = settings.placement == "split" and spec.improve.method == "grpo"
    return settings.train_gpus if apart else gpus_used(spec)


def arguments(spec: ExperimentSpec, layout: Layout) -> tuple[str, ...]:
    """The argument list after the module's name."""
    settings = spec.improve.openrlhf
    return (
        *("--actor.model_name_or_path", layout.model, "--train.agent_func_path", str(AGENT)),
        *_data(settings, layout),
        *_algorithm(spec.grpo, settings, layout.seed),
        *_deepspeed(settings),
        *_placement(spec),
        *_outputs(spec, layout),
    )


def _data(settings: OpenRlhfSpec, layout: Layout) -> Iterator[str]:
    yield from ("--data.prompt_dataset", str(layout.rows))
    yield from ("--data.input_key", "prompt", "--data.label_key", "label")
    if settings.chat_template:
        yield "--data.apply_chat_template"
    yield from ("--data.max_len", str(layout.context))
    yield from ("--rollout.max_new_tokens", str(layout.max_new_tokens))


def _algorithm(grpo: GrpoSpec, settings: OpenRlhfSpec, seed: int) -> Iterator[str]:
    """One optimizer step a rollout, over all its samples, as in the local backend."""
    yield from ("--rollout.temperature", str(grpo.temperature), "--rollout.top_p", "1.0")
    yield from ("--rollout.batch_size", str(grpo.prompts))
    yield from ("--rollout.n_samples_per_prompt", str(grpo.samples))
    yield from ("--train.batch_size", str(grpo.prompts * grpo.samples))
    yield from ("--train.max_epochs", "1", "--train.num_episodes", "1", "--train.seed", str(seed))
    yield from ("--algo.advantage.estimator", "group_norm")
    yield from ("--actor.eps_clip_low_high", str(grpo.clip_low), str(grpo.clip_high))
    yield from ("--actor.adam.lr", str(grpo.learning_rate), "--actor.adam.betas", *BETAS)
    yield from ("--actor.adam.weight_decay", str(grpo.weight_decay), "--actor.lr_scheduler", "constant")
    yield from ("--actor.max_norm", str(settings.max_grad_norm))
    # The default is 0.01; at 0 there is no reference model at all.
    yield from ("--algo.kl.init_coef", str(grpo.kl))
    if grpo.kl > 0:
        yield from ("--algo.kl.use_loss", "--algo.kl.estimator", settings.kl_estimator)
    # A coefficient of 0 changes no gradient and has the entropy logged.
    yield from ("--actor.entropy_coef", "0")
    if settings.dynamic_filter:
        yield from ("--algo.dynamic_filtering_enable", "--algo.dynamic_filtering_range", "0", "1")
    if settings.overlong_tokens:
        yield from ("--reward.overlong_buffer_len", str(settings.overlong_tokens))


def _deepspeed(settings: OpenRlhfSpec) -> Iterator[str]:
    yield from ("--ds.zero_stage", str(settings.zero_stage), "--ds.param_dtype", "bf16")
    yield from ("--ds.attn_implementation", settings.attention)
    if settings.packing:
        yield from ("--ds.packing_samples", "--train.dynamic_batch_enable")
        yield from ("--train.max_tokens_per_gpu", str(settings.train_tokens_per_gpu))
        yield from ("--rollout.max_tokens_per_gpu", str(settings.score_tokens_per_gpu))
    else:
        yield from ("--train.micro_batch_size", str(settings.micro_batch))
        yield from ("--rollout.micro_batch_size", str(settings.micro_batch))
    if settings.gradient_checkpointing:
        yield "--actor.gradient_checkpointing_enable"


def _placement(spec: ExperimentSpec) -> Iterator[str]:
    settings = spec.improve.openrlhf
    training = str(training_gpus(spec))
    colocated = settings.placement == "colocated"
    yield from ("--vllm.num_engines", str(settings.engines))
    yield from ("--vllm.tensor_parallel_size", str(settings.tensor_parallel))
    yield from ("--vllm.gpu_memory_utilization", str(settings.vllm_memory), "--vllm.sync_backend", "nccl")
    yield from (
        "--vllm.enable_prefix_caching",
        *(("--vllm.enforce_eager",) if settings.enforce_eager else ()),
    )
    yield from ("--actor.num_nodes", "1", "--actor.num_gpus_per_node", training)
    if spec.grpo.kl > 0:
        # Without these the reference model asks for eight GPUs more, and the run waits for them for ever.
        yield from ("--ref.num_nodes", "1", "--ref.num_gpus_per_node", training)
        if not colocated:
            yield "--train.colocate_actor_ref"
    if colocated:
        yield from ("--train.colocate_all", "--vllm.enable_sleep", "--ds.enable_sleep")


def _outputs(spec: ExperimentSpec, layout: Layout) -> Iterator[str]:
    settings = spec.improve.openrlhf
    yield from ("--ckpt.path", str(layout.checkpoints), "--ckpt.output_dir", str(layout.final))
    yield from ("--ckpt.save_steps", str(settings.save_every), "--ckpt.save_hf")
    yield from ("--ckpt.max_num", str(settings.keep), "--ckpt.best_metric_key", "none")
    if layout.resume:
        yield "--ckpt.load_enable"
    if settings.evaluate_every:
        yield from ("--eval.dataset", str(layout.held_out), "--eval.steps", str(settings.evaluate_every))
        yield from ("--eval.temperature", str(spec.grpo.temperature))
        yield from ("--eval.n_samples_per_prompt", str(spec.grpo.samples))
    yield from ("--logger.logging_steps", "1")
