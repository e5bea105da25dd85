"""Measured and assumed rates, for `harness plan`: the rows of `throughput.yaml` and of one's own file."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, TypeAdapter, ValidationError

from harness.errors import SpecError
from harness.experiment.spec import ExperimentSpec
from harness.nested import parse_yaml
from harness.spec import Spec
from trainers.openrlhf.model_size import LlamaShape, shape_of

TABLE = Path(__file__).with_name("throughput.yaml")
VARIABLE = "HARNESS_THROUGHPUT"


class Rates(Spec):
    """One row of the table."""

    name: str
    """What was measured, and on what."""
    parameters: float = Field(gt=0)
    """Of the generator."""
    proof_tokens_per_s: float = Field(gt=0)
    """Generated in whole proofs, one GPU."""
    proof_tokens: float = Field(gt=0)
    """Of one whole proof."""
    states_per_s: float = Field(gt=0)
    """States for which tactics are proposed, one GPU."""
    training_flops_per_s: float = Field(gt=0)
    """Reached in training, one GPU."""
    state_tokens: float = Field(default=300.0, gt=0)
    """Of one state, in value training, where no tokenizer is at hand to count a statement's."""
    proof_states: float = Field(default=10.0, gt=0)
    """States on proofs, for each theorem searched, the unproved among them."""
    unprovable_states: float = Field(default=0.5, ge=0)
    """Refuted states of a search, for each expansion of its budget."""
    met_states: float = Field(default=0.5, gt=0)
    """All states that a search meets, for each expansion of its budget."""
    start_s: float = Field(ge=0)
    """From the start of GRPO to its first step."""
    serve_s: float = Field(default=60.0, ge=0)
    """From the start of a run's own servers to their first answer."""
    step_overhead_s: float = Field(ge=0)
    """Of a GRPO step, beside generating and training."""
    proof_lean_s: float = Field(ge=0)
    """Core seconds of checking one whole proof."""
    tactic_lean_s: float = Field(ge=0)
    """Core seconds of applying one tactic."""
    lean: Literal["core", "mathlib"] = "mathlib"
    """What the seconds of Lean are of: the embedded core, or a real Lean with Mathlib."""
    measured: tuple[str, ...] = ()
    """Which of these were measured; the others are assumed."""

    def scaled(self, parameters: int) -> Rates:
        """The same for a model of another size: rates fall as it grows."""
        factor = self.parameters / parameters
        return self.model_copy(
            update={
                "proof_tokens_per_s": self.proof_tokens_per_s * factor,
                "states_per_s": self.states_per_s * factor,
            }
        )


def table() -> list[Rates]:
    """The rows, those of HARNESS_THROUGHPUT first. Raises `SpecError` for a broken file."""
    named = os.environ.get(VARIABLE)
    files = [*([Path(named)] if named else []), TABLE]
    rows: list[Rates] = []
    for path in files:
        try:
            data = parse_yaml(path.read_text(encoding="utf-8"))
            rows += TypeAdapter(list[Rates]).validate_python(data, strict=False)
        except OSError as cause:
            raise SpecError(f"{path}: cannot be read: {cause.strerror}; mend {VARIABLE}") from None
        except ValidationError as cause:
            first = cause.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise SpecError(f"{path}: {where}: {first['msg'].lower()}") from None
    return rows


LEAN = ("proof_lean_s", "tactic_lean_s")
"""Rates that the model's size says nothing of."""


def rates_for(shape: LlamaShape, rows: Sequence[Rates], lean: str | None = None) -> Rates:
    """The row of the nearest size, scaled; of two equally near ones the first.

    Where that row asked another Lean than `lean`, Lean's seconds are those of the nearest that did.
    """

    def distance(row: Rates) -> float:
        return abs(math.log(row.parameters / shape.parameters))

    nearest = min(rows, key=distance)
    others = [row for row in rows if row.lean == lean]
    if lean is None or nearest.lean == lean or not others:
        return nearest.scaled(shape.parameters)
    asked = min(others, key=distance)
    measured = [name for name in nearest.measured if name not in LEAN]
    told = {
        "name": f"{nearest.name}; Lean's of {asked.name}",
        "lean": lean,
        "measured": (*measured, *(name for name in asked.measured if name in LEAN)),
        **{name: getattr(asked, name) for name in LEAN},
    }
    return nearest.model_copy(update=told).scaled(shape.parameters)


def rates_of(spec: ExperimentSpec) -> Rates:
    """What `spec` is reckoned with. Raises `SpecError` for a broken table."""
    core = spec.lean.service == "core" or (spec.lean.service == "repl" and spec.lean.project is None)
    return rates_for(shape_of(spec), table(), "core" if core else "mathlib")
