"""Every kind of prover, and how an evaluation's `prover:` section is completed from the experiment's."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError

from harness.errors import SpecError
from harness.provers.beam import BeamSpec
from harness.provers.best_first import BestFirstSpec
from harness.provers.mcts import MctsSpec
from harness.provers.portfolio import PortfolioSpec
from harness.provers.prover import ProverSpec
from harness.provers.union import UnionSpec
from harness.provers.whole_proof import WholeProofProverSpec

AnyProver = Annotated[
    BestFirstSpec | BeamSpec | MctsSpec | WholeProofProverSpec | PortfolioSpec | UnionSpec,
    Field(discriminator="kind"),
]
"""The settings of any prover, told apart by `kind`."""

Kind = TypeVar("Kind", bound=ProverSpec)


def settled(given: Kind, experiment: Any, where: str) -> Kind:
    """`given` with every setting that it leaves open taken from the experiment's section of the same ones.

    Raises `SpecError` naming `where` when a value of that section is none that this prover takes.
    """
    section = getattr(experiment, given.shared)
    common = {name: getattr(section, name) for name in type(section).model_fields}
    known = {name: value for name, value in common.items() if name in type(given).model_fields}
    explicit = {name: getattr(given, name) for name in given.model_fields_set}
    parts = {name: getattr(given, name) for name in type(given).model_fields}
    for name, part in parts.items():
        if isinstance(part, ProverSpec):
            explicit[name] = settled(part, experiment, f"{where}.{name}")
    try:
        return type(given)(**{**known, **explicit})
    except ValidationError as error:
        key = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise SpecError(
            f"{where}.{key}: {given.shared}.{key} is no value for {given.kind}; give it one of its own"
        ) from None
