"""The value model made here: the generator's trunk under one logit, BCE-with-logits against gamma**d.

For other backbones and several processes see `trainers.value_trainer`.

The function blocks: call it outside an event loop, or through `asyncio.to_thread`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harness import checkpoints
from harness.errors import StoreError, boundary
from harness.experiment.spec import ValueSpec
from harness.policies.llama import Llama
from harness.prompts import embedded
from harness.values.local import LocalValue
from trainers import fitting, labelled, reliability, tokenizer
from trainers.fitting import Progress, Schedule
from trainers.labelled import Metrics
from trainers.trajectories import LabelledState


def train(
    spec: ValueSpec,
    states: Sequence[LabelledState],
    backbone: Path,
    *,
    seed: int,
    threads: int,
    out: Path,
    progress: Progress,
    device: str = "cpu",
    save_s: float = fitting.SAVE_S,
    before: Path | None = None,
) -> Metrics:
    """Train on the labelled `states` of all rounds so far, starting from the generator at `backbone`.

    Metrics: `loss`, `seconds`, and those of `labelled.figures` on held-out theorems, with the inference that
    search will use; some of them also for `before`, the value model of the round before.

    Raises `UserError` when `backbone` is unusable or the labelled states cannot fill both sides.
    """
    started = time.monotonic()
    checkpoints.intact(backbone, "generator")
    training, held_out = labelled.split(spec, states, seed)
    repeated = labelled.repeated(spec, training)
    made = embedded.load_tokenizer(backbone)
    with fitting.repeatable(seed, threads, device):
        model = _classifier(backbone).to(device)
        context: int = model.config.max_position_embeddings
        rows = [embedded.encode(made, row.prompt, context) for row in repeated]

        def loss_of(batch: list[int]) -> Tensor:
            labels = torch.tensor([[repeated[i].label] for i in batch], device=device)
            ids = fitting.pad([rows[i] for i in batch], embedded.PAD_ID, device)
            return model(input_ids=ids, labels=labels).loss

        steps = spec.epochs * -(-len(repeated) // spec.batch_size)
        plan = Schedule(
            steps, spec.batch_size, spec.learning_rate, spec.warmup_steps, spec.weight_decay, seed=seed
        )
        saving = fitting.beside(out, save_s)
        loss = fitting.fit(model, loss_of, [len(row) for row in rows], plan, progress, saving)
    with boundary(StoreError, f"{out}: the checkpoint cannot be written"):
        out.mkdir(parents=True, exist_ok=True)
        model.save_pretrained(out)
        tokenizer.wrap(made, context).save_pretrained(out)
    judge = LocalValue(Llama(model.config.to_dict(), dict(model.state_dict()), device), made)
    prompts = [row.prompt for row in held_out]
    predicted = judge.score_texts(prompts)
    metrics: Metrics = {"loss": loss, **labelled.figures(spec, training, held_out, predicted)}
    if before is not None:
        older = LocalValue.load(before, threads=threads, device=device).score_texts(prompts)
        metrics |= labelled.before(labelled.figures(spec, training, held_out, older))
    metrics["seconds"] = time.monotonic() - started
    reliability.write(out, predicted, [row.label for row in held_out])
    checkpoints.seal(out, "value", prompt_format=embedded.FORMAT, parent=backbone, metrics=metrics)
    saving.done()
    return metrics


def _classifier(backbone: Path) -> Any:
    """The generator's trunk under a new head with one logit, whose stock loss is BCE-with-logits."""
    from transformers import LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification

    config = LlamaConfig.from_pretrained(
        backbone, num_labels=1, problem_type="multi_label_classification", pad_token_id=embedded.PAD_ID
    )
    model = LlamaForSequenceClassification(config)
    # Copied, because loading the classifier from the generator's folder reports the missing head each time.
    model.model.load_state_dict(LlamaForCausalLM.from_pretrained(backbone).model.state_dict())
    return model
