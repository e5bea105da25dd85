"""The value model: a Llama with one logit, BCE-with-logits against gamma**d.

The function blocks: call it outside an event loop, or through `asyncio.to_thread`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harness import checkpoints
from harness.errors import StoreError, UserError, boundary
from harness.experiment.spec import ValueSpec
from harness.policies.llama import Llama
from harness.prompts import embedded
from harness.values.local import LocalValue
from trainers import calibration, fitting, tokenizer, trajectories
from trainers.fitting import Progress, Schedule
from trainers.trajectories import LabelledState

Metrics = dict[str, float | None]
"""A figure that cannot be computed (a constant side, gamma 1) is None."""


@dataclass(frozen=True, slots=True)
class _Row:
    state: LabelledState
    prompt: str
    label: float


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
) -> Metrics:
    """Train on the labelled `states` of all rounds so far, starting from the generator at `backbone`.

    Theorems are split by a hash of their revision before anything is repeated, so no theorem is on both
    sides and a theorem stays on its side from round to round. Metrics are computed on the held-out theorems
    with the inference that search will use:

    `bce`, `bce_constant` (predicting the mean training label), `ece`, `spearman` (V against minus the true
    tactics left, states on proofs), `spearman_within` (mean of the same inside each proof), `spearman_new`
    (states whose text training has not seen in another theorem), `steps_error` (mean absolute error in
    tactics), `n_train`, `n_held_out`, `theorems_held_out`, `loss`, `seconds`.

    Raises `UserError` when `backbone` is unusable or the labelled states cannot fill both sides.
    """
    started = time.monotonic()
    checkpoints.intact(backbone, "generator")
    training, held_out = _split(spec, states, seed)
    repeated = [row for row in training for _ in range(spec.oversample if row.label > 0 else 1)]
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
        loss = fitting.fit(model, loss_of, [len(row) for row in rows], plan, progress)
    with boundary(StoreError, f"{out}: the checkpoint cannot be written"):
        out.mkdir(parents=True, exist_ok=True)
        model.save_pretrained(out)
        tokenizer.wrap(made, context).save_pretrained(out)
    judge = LocalValue(Llama(model.config.to_dict(), dict(model.state_dict()), device), made)
    metrics = {"loss": loss, **_measure(spec, training, held_out, judge)}
    metrics["seconds"] = time.monotonic() - started
    checkpoints.seal(out, "value", prompt_format=embedded.FORMAT, parent=backbone, metrics=metrics)
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


def _split(spec: ValueSpec, states: Sequence[LabelledState], seed: int) -> tuple[list[_Row], list[_Row]]:
    """Training rows and held-out rows."""
    training: list[_Row] = []
    held_out: list[_Row] = []
    for state in trajectories.merged(states):
        label = trajectories.label(state, spec)
        if label is not None:
            side = held_out if trajectories.held_out(state, spec, seed) else training
            side.append(_Row(state, embedded.value_prompt(state.goals), label))
    if not training or not held_out:
        raise UserError(
            f"value.held_out: {len(training)} labelled states to train on and {len(held_out)} held out; the"
            " search solved too few theorems: raise trajectories.problems or generator.steps"
        )
    return training, held_out


def _measure(
    spec: ValueSpec, training: Sequence[_Row], held_out: Sequence[_Row], judge: LocalValue
) -> Metrics:
    predicted = judge.score_texts([row.prompt for row in held_out])
    labels = [row.label for row in held_out]
    constant = sum(row.label for row in training) / len(training)
    seen = {row.prompt for row in training}
    proofs = [
        (row, value) for row, value in zip(held_out, predicted, strict=True) if row.state.kind == "proof"
    ]
    new = [(row, value) for row, value in proofs if row.prompt not in seen]
    within, counted = calibration.spearman_within(
        [row.state.revision for row, _ in proofs], [value for _, value in proofs], _minus_left(proofs)
    )
    return {
        "bce": calibration.cross_entropy(predicted, labels),
        "bce_constant": calibration.cross_entropy([constant] * len(labels), labels),
        "ece": calibration.calibration_error(predicted, labels),
        "spearman": calibration.spearman([value for _, value in proofs], _minus_left(proofs)),
        "spearman_new": calibration.spearman([value for _, value in new], _minus_left(new)),
        "spearman_within": within,
        "proofs_within": float(counted),
        "steps_error": calibration.steps_error(
            [value for _, value in proofs], [row.state.tactics_left or 0 for row, _ in proofs], spec.gamma
        ),
        "n_train": float(len(training)),
        "n_held_out": float(len(held_out)),
        "n_new": float(len(new)),
        "theorems_held_out": float(len({row.state.revision for row in held_out})),
    }


def _minus_left(pairs: Sequence[tuple[_Row, Any]]) -> list[float]:
    return [-float(row.state.tactics_left or 0) for row, _ in pairs]
