"""The states that a value model is trained and measured on, and its figures. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import UserError
from harness.experiment.spec import ValueSpec
from harness.prompts import embedded
from trainers import calibration, trajectories
from trainers.trajectories import LabelledState

Metrics = dict[str, float | None]
"""A figure that cannot be computed (a constant side, gamma 1) is None."""
COMPARED = ("bce", "ece", "spearman", "spearman_within", "steps_error")
"""Figures of the value model of the round before, on the same held-out states, as `<figure>_before`."""


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """A labelled state."""

    state: LabelledState
    label: float
    """In [0, 1]."""

    @property
    def prompt(self) -> str:
        """What the value model made here reads of it; equal where cases alone are named differently."""
        return embedded.value_prompt(self.state.goals)


def split(
    spec: ValueSpec, states: Sequence[LabelledState], seed: int
) -> tuple[list[LabelledRow], list[LabelledRow]]:
    """Rows to train on and held-out rows.

    Theorems are split by a hash of their revision before anything is repeated, so no theorem is on both
    sides and a theorem stays on its side from round to round. Raises `UserError` when a side is empty.
    """
    training: list[LabelledRow] = []
    held_out: list[LabelledRow] = []
    for state in trajectories.merged(states):
        label = trajectories.label(state, spec)
        if label is not None:
            side = held_out if trajectories.held_out(state, spec, seed) else training
            side.append(LabelledRow(state, label))
    if not training or not held_out:
        raise UserError(
            f"value.held_out: {len(training)} labelled states to train on and {len(held_out)} held out; too"
            " few theorems were proved: raise trajectories.problems or generator.steps"
        )
    return training, held_out


def repeated(spec: ValueSpec, rows: Sequence[LabelledRow]) -> list[LabelledRow]:
    """Positive examples as often as the spec oversamples them."""
    return [row for row in rows for _ in range(spec.oversample if row.label > 0 else 1)]


def figures(
    spec: ValueSpec,
    training: Sequence[LabelledRow],
    held_out: Sequence[LabelledRow],
    predicted: Sequence[float],
) -> Metrics:
    """What `predicted` values of the held-out rows are worth.

    `bce`, `bce_constant` (predicting the mean training label), `ece`, `spearman` (V against minus the true
    tactics left, states on proofs), `spearman_within` (mean of the same inside each proof), `spearman_new`
    (states whose text training has not seen in another theorem), `steps_error` (mean absolute error in
    tactics), `n_train`, `n_held_out`, `theorems_held_out`.
    """
    labels = [row.label for row in held_out]
    constant = sum(row.label for row in training) / len(training)
    pairs = list(zip(held_out, predicted, strict=True))
    proofs = [pair for pair in pairs if pair[0].state.kind == "proof"]
    seen = {row.prompt for row in training}
    new = [pair for pair in proofs if pair[0].prompt not in seen]
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


def before(figures_before: Metrics) -> Metrics:
    """What of another round's figures stands beside this round's."""
    return {f"{name}_before": figures_before[name] for name in COMPARED}


def _minus_left(pairs: Sequence[tuple[LabelledRow, float]]) -> list[float]:
    return [-float(row.state.tactics_left or 0) for row, _ in pairs]
