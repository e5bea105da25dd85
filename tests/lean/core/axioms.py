"""What the term that a state's tactics have built rests on."""

from __future__ import annotations

from harness.lean.core.environment import axioms_of_terms
from harness.lean.core.session import TacticState


def proof_axioms(state: TacticState) -> tuple[str, ...]:
    """The axioms of the term so far, sorted."""
    elab = state._elab()
    return axioms_of_terms(state.env.kernel, elab.inst(state.root), elab.inst(state.root.type))
