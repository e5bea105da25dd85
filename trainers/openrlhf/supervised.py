"""The processes of a supervised training by OpenRLHF, under torchrun: one a GPU. Pure.

The flags are those of the wheel `openrlhf==0.11.2` (`python -m openrlhf.cli.train_sft --help`). Its default
template would put words of its own around a prompt; no BOS stands before one, and the loss is on the answer
alone. An answer that does not end with the tokenizer's end gets a blank and the end behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.processes.kept import Process
from trainers.openrlhf.plan import BETAS

CLI = "openrlhf.cli.train_sft"


@dataclass(frozen=True, slots=True)
class Supervised:
    """One training: what is read, how it is fitted, where it stands."""

    name: str
    """Of the process and its log."""
    run: Path
    """Its folder: data, log, checkpoints."""
    model: str
    """The language model it starts from: a folder, or a model name."""
    python: str
    """Interpreter that OpenRLHF is installed in."""
    processes: int
    """One a GPU."""
    rows: int
    """Texts to train on."""
    max_tokens: int
    """Longest text; a longer one would be cut."""
    batch_size: int
    """Texts a step, over all processes."""
    micro_batch: int
    """Texts of one pass of one process."""
    epochs: int
    seed: int
    learning_rate: float
    """Peak of the cosine schedule."""
    warmup: float
    """Share of the steps that warm up."""
    weight_decay: float
    save_every: int
    """Steps between checkpoints to resume from."""
    keep: int = 2
    """Of those; an old one is deleted before a new one is written."""
    max_grad_norm: float = 1.0
    zero_stage: int = 2
    attention: str = "sdpa"
    packing: bool = False
    """The texts of a pass without padding."""
    gradient_checkpointing: bool = False
    resume: bool = False

    @property
    def data(self) -> Path:
        """The texts, in JSON lines of `prompt` and `label`."""
        return self.run / "rows.jsonl"

    @property
    def checkpoints(self) -> Path:
        """DeepSpeed's checkpoints."""
        return self.run / "ckpt"

    @property
    def final(self) -> Path:
        """The trained model."""
        return self.run / "final"


def process(how: Supervised) -> Process:
    """torchrun with its processes."""
    launcher = ("-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={how.processes}")
    return Process(
        name=how.name,
        argv=(how.python, *launcher, "-m", CLI, *arguments(how)),
        environment={"PYTHONUNBUFFERED": "1"},
        dropped=("WANDB_API_KEY",),
        gpus=tuple(range(how.processes)),
        cpus=how.processes,
        files=(how.data,),
        log=how.run / f"{how.name}.log",
    )


def arguments(how: Supervised) -> tuple[str, ...]:
    """The argument list after the module's name."""
    return tuple(_arguments(how))


def _arguments(how: Supervised) -> Iterator[str]:
    yield from ("--model.model_name_or_path", how.model, "--data.dataset", str(how.data))
    yield from ("--data.input_key", "prompt", "--data.output_key", "label", "--data.input_template", "{}")
    yield from ("--data.max_len", str(how.max_tokens), "--data.max_samples", str(how.rows))
    yield from ("--train.batch_size", str(how.batch_size), "--train.micro_batch_size", str(how.micro_batch))
    yield from ("--train.max_epochs", str(how.epochs), "--train.seed", str(how.seed))
    yield from ("--adam.lr", str(how.learning_rate), "--adam.betas", *BETAS)
    yield from ("--adam.weight_decay", str(how.weight_decay), "--lr_scheduler", "cosine")
    yield from ("--lr_warmup_ratio", f"{how.warmup:.4f}", "--max_norm", str(how.max_grad_norm))
    yield from ("--ds.zero_stage", str(how.zero_stage), "--ds.param_dtype", "bf16")
    yield from ("--ds.attn_implementation", how.attention)
    if how.packing:
        yield "--ds.packing_samples"
    if how.gradient_checkpointing:
        yield "--model.gradient_checkpointing_enable"
    yield from ("--ckpt.path", str(how.checkpoints), "--ckpt.output_dir", str(how.final))
    yield from ("--ckpt.save_steps", str(how.save_every), "--ckpt.max_num", str(how.keep))
    if how.resume:
        yield "--ckpt.load_enable"
