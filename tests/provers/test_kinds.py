"""How a prover's open settings are filled in from the experiment's."""

from types import SimpleNamespace

import pytest
from pydantic import TypeAdapter

from harness.provers.kinds import AnyProver, settled
from harness.provers.tree_search import SearchSpec
from harness.spec import WholeProofSpec

EXPERIMENT = SimpleNamespace(search=SearchSpec(alpha=0.25, expansions=12), whole_proof=WholeProofSpec())


@pytest.mark.parametrize("kind", ["best_first", "beam", "mcts"])
def test_every_search_follows_the_section_of_searches(kind):
    given = TypeAdapter(AnyProver).validate_python({"kind": kind, "alpha": 0.5})
    made = settled(given, EXPERIMENT, "prover")
    assert (made.alpha, made.expansions) == (0.5, 12)


def test_both_parts_of_a_union_follow_it_too():
    given = TypeAdapter(AnyProver).validate_python(
        {"kind": "union", "first": {"kind": "mcts", "prior_temperature": 2.0}, "second": {"kind": "beam"}}
    )
    made = settled(given, EXPERIMENT, "prover")
    assert (made.expansions, made.first.alpha, made.second.alpha) == (12, 0.25, 0.25)
    assert made.first.prior_temperature == 2.0
    assert made.asks_value and made.effective()["first"]["kind"] == "mcts"
