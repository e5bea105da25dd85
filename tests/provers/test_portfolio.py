"""The symbolic portfolio over the embedded core: exact budgets, checked proofs, no model."""

import asyncio

import pytest

from harness.benchmarks import loading
from harness.lean.services.embedded import CoreSessions, CoreVerifier
from harness.protocols import Candidate
from harness.provers.best_first import SearchSpec
from harness.provers.portfolio import Portfolio
from harness.types import Level, Problem, Status

SESSIONS = CoreSessions()


def problem(statement: str) -> Problem:
    return Problem("p", "toy", "test", "import Mathlib\n\n", f"theorem p {statement}", "p", toolchain="core")


def attempt(item: Problem, expansions: int = 64, tactic_calls: int = 500):
    spec = SearchSpec(expansions=expansions, tactic_calls=tactic_calls)
    return asyncio.run(Portfolio(spec, SESSIONS).attempt(item, 0, 0))


@pytest.mark.parametrize(
    "statement",
    [
        "(P Q : Prop) (h1 : P ∧ Q) : Q ∧ P",
        "(P Q R : Prop) (h1 : P ∨ Q) (h2 : P → R) (h3 : Q → R) : R",
        "{α : Type} (P Q : α → Prop) (h1 : ∀ x, P x → Q x) (h2 : ∃ x, P x) : ∃ x, Q x",
        "{α : Type} (f : α → α) (a b : α) (h1 : f a = b) (h2 : f b = a) : f (f a) = a",
    ],
)
def test_what_it_finds_is_a_proof(statement):
    item = problem(statement)
    found = attempt(item)
    assert found.search.stopped == "proved"
    [verdict] = asyncio.run(CoreVerifier().check([Candidate(item, found.proof)], Level.STRICT))
    assert verdict.status is Status.PROVED


def test_budgets_are_exact_and_a_false_statement_is_never_proved():
    item = problem("(P Q R : Prop) (h1 : P → Q) (h2 : Q → R) : R ∨ P")
    few = attempt(item, expansions=2).search
    assert (few.expanded, few.stopped) == (2, "expansions")
    calls = attempt(item, tactic_calls=17).search
    assert (calls.tactics_tried, calls.stopped) == (17, "tactic_calls")
    whole = attempt(item, expansions=500, tactic_calls=20_000)
    assert whole.proof is None and whole.search.stopped in ("exhausted", "expansions", "tactic_calls")


def test_a_stated_share_of_the_curriculum_is_beyond_it():
    """The manifest's figure comes from the whole test split; a sample of it must agree within chance."""
    stated = loading.manifest("core-curriculum").facts["portfolio"]
    spec = SearchSpec(expansions=stated["expansions"], tactic_calls=stated["tactic_calls"])
    problems = loading.load("core-curriculum", "test", limit=60)
    prover = Portfolio(spec, SESSIONS)

    async def solved() -> int:
        return sum([(await prover.attempt(item, 0, 0)).proof is not None for item in problems])

    share = asyncio.run(solved()) / len(problems)
    assert abs(share - stated["solved"] / stated["problems"]) < 0.2
    assert 0.05 < 1 - stated["solved"] / stated["problems"] < 0.6
