"""One process of a value training: `torchrun -m trainers.value_process SETTINGS`.

SETTINGS is the JSON file that `trainers.value_trainer` writes. The model is transformers' sequence classifier
with one label and `problem_type: multi_label_classification`, whose stock loss on float labels is
BCE-with-logits and whose logit vLLM serves through the sigmoid; with the type left out transformers would
minimise a squared error, and vLLM would serve the logit as it is.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.records.journal import write_json
from harness.serving import bars
from harness.values.reading import Reader
from trainers.openrlhf.logs import step_line

PROBLEM_TYPE = "multi_label_classification"
PADDING = ("<|finetune_right_pad_id|>", "<pad>", "<|pad|>", "[PAD]", "<|endoftext|>", "<unk>")
"""Tokens that may fill up a batch, where the tokenizer names none of its own; Llama 3's first."""
RESULT = "result.json"
SEAL = "whole.json"
"""In a checkpoint on the way once every process has written its part."""


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """What the processes are told."""

    backbone: str
    rows: str
    """JSON lines of `text` and `label`."""
    out: str
    scratch: str
    epochs: int
    batch_size: int
    micro_batch: int
    learning_rate: float
    warmup_steps: int
    weight_decay: float
    max_tokens: int
    seed: int
    threads: int
    device: str
    bf16: bool
    gradient_checkpointing: bool
    save_every: int
    resume: str | None
    """A whole checkpoint of an earlier try."""


def main(path: Path) -> int:
    """Train; the first process writes the model, the tokenizer and RESULT."""
    settings = ProcessSettings(**json.loads(path.read_text(encoding="utf-8")))
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, set_seed

    torch.set_num_threads(settings.threads)
    bars.only_on_a_terminal()
    torch.use_deterministic_algorithms(True, warn_only=settings.device != "cpu")
    set_seed(settings.seed)
    tokenizer = prepared(AutoTokenizer.from_pretrained(settings.backbone), settings)
    model = AutoModelForSequenceClassification.from_pretrained(
        settings.backbone,
        num_labels=1,
        problem_type=PROBLEM_TYPE,
        pad_token_id=tokenizer.pad_token_id,
        dtype=torch.float32,
    )
    context: int = model.config.max_position_embeddings
    if settings.max_tokens > context:
        raise UserError(f"value.trainer.max_tokens: {settings.max_tokens} is beyond the backbone's {context}")
    # Its forward takes any keyword, so Trainer would trust it to divide by the number of passes, wrongly.
    model.accepts_loss_kwargs = False
    texts = [json.loads(line) for line in Path(settings.rows).read_text(encoding="utf-8").splitlines()]
    reader = Reader(tokenizer, settings.max_tokens)
    rows = [{"input_ids": reader.ids(row["text"]), "labels": [row["label"]]} for row in texts]
    trainer = _trainer(settings, model, rows, tokenizer.pad_token_id)
    trainer.train(resume_from_checkpoint=settings.resume)
    if trainer.is_world_process_zero():
        out = Path(settings.out)
        trainer.accelerator.unwrap_model(trainer.model).save_pretrained(out)
        tokenizer.save_pretrained(out)
        losses = [log["loss"] for log in trainer.state.log_history if "loss" in log]
        tail = losses[-max(1, len(losses) // 10) :]
        commit = getattr(model.config, "_commit_hash", None)
        told = {"loss": sum(tail) / len(tail) if tail else None, "backbone_commit": commit}
        write_json(out / RESULT, told)
    return 0


def prepared(tokenizer: Any, settings: ProcessSettings) -> Any:
    """Filled up on the right with a token that ends no text, cut at `max_tokens`.

    A model that reads its answer at the last token that is no filling would read it one too early if its
    filling were the token that also ends texts. Raises `UserError` where there is no such token.
    """
    if tokenizer.pad_token is None or tokenizer.pad_token == tokenizer.eos_token:
        known = tokenizer.get_vocab()
        fitting = [token for token in PADDING if token in known and token != tokenizer.eos_token]
        if not fitting:
            raise UserError(
                f"value.backbone: {settings.backbone}: its tokenizer has no token to fill up batches with "
                "(pad_token) beside the one that ends texts; give it one"
            )
        tokenizer.pad_token = fitting[0]
    tokenizer.padding_side = "right"
    tokenizer.model_max_length = settings.max_tokens
    return tokenizer


def collated(rows: Sequence[Mapping[str, Any]], padding: int) -> dict[str, Any]:
    """`input_ids` and `attention_mask` (rows, longest), filled up on the right, and `labels` (rows, 1)."""
    import torch

    width = max(len(row["input_ids"]) for row in rows)
    short = [width - len(row["input_ids"]) for row in rows]
    pairs = list(zip(rows, short, strict=True))
    ids = [[*row["input_ids"], *[padding] * lacking] for row, lacking in pairs]
    mask = [[1] * len(row["input_ids"]) + [0] * lacking for row, lacking in pairs]
    labels = torch.tensor([row["labels"] for row in rows], dtype=torch.float32)
    return {"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(mask), "labels": labels}


def _trainer(settings: ProcessSettings, model: Any, rows: Sequence[Mapping[str, Any]], padding: int) -> Any:
    from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

    world = int(os.environ.get("WORLD_SIZE", "1"))
    on_cpu = settings.device == "cpu"
    arguments = TrainingArguments(
        output_dir=settings.scratch,
        per_device_train_batch_size=settings.micro_batch,
        gradient_accumulation_steps=settings.batch_size // (settings.micro_batch * world),
        num_train_epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=settings.warmup_steps,
        weight_decay=settings.weight_decay,
        adam_beta1=0.9,
        adam_beta2=0.98,
        max_grad_norm=1.0,
        seed=settings.seed,
        use_cpu=on_cpu,
        bf16=settings.bf16 and not on_cpu,
        gradient_checkpointing=settings.gradient_checkpointing,
        ddp_backend="gloo" if on_cpu else "nccl",
        ddp_find_unused_parameters=False,
        dataloader_pin_memory=not on_cpu,
        remove_unused_columns=False,
        save_strategy="steps",
        save_steps=settings.save_every,
        save_total_limit=1,
        logging_steps=1,
        report_to=[],
        disable_tqdm=True,
    )

    class Teller(TrainerCallback):
        """Tells each step in a line that the parent reads, and seals checkpoints once all have written."""

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if state.is_world_process_zero and logs and "loss" in logs:
                names = {"loss": "loss", "learning_rate": "lr", "grad_norm": "actor_grad_norm"}
                figures = {to: float(logs[name]) for name, to in names.items() if name in logs}
                figures["of"] = float(state.max_steps)
                print(step_line(state.global_step, figures), flush=True)

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            import torch

            if torch.distributed.is_initialized():
                torch.distributed.barrier()
            if state.is_world_process_zero:
                folder = Path(settings.scratch) / f"checkpoint-{state.global_step}"
                write_json(folder / SEAL, {"step": state.global_step})

    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=list(rows),
        data_collator=lambda batch: collated(batch, padding),
        callbacks=[Teller()],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1])))
    except UserError as error:
        print(f"UserError: {error}", flush=True)
        sys.exit(2)
