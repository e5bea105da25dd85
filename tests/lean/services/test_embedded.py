"""The embedded service beyond the shared conformance tests: what it asks of the kernel itself."""

from __future__ import annotations

import asyncio

import pytest

from harness.lean.core.session import prelude, run
from harness.lean.services.embedded import CoreSessions, CoreVerifier, Targets, kernel_evidence
from harness.lean.text.assemble import assemble
from harness.protocols import Candidate
from harness.types import Level, Problem, Status, Step, Verdict

OK = Verdict(Status.PROVED, "ok")


def problem(statement: str) -> Problem:
    return Problem(
        id="foo",
        benchmark="b",
        split="test",
        header="import Mathlib\n\n",
        statement=statement,
        theorem="foo",
    )


@pytest.mark.parametrize(
    ("statement", "declared", "status"),
    [
        ("theorem foo : 1 = 2", "theorem foo : True := trivial", Status.REJECTED),
        (
            "theorem foo (n : Nat) : n = n",
            "theorem foo (n : Nat) (h : n = 0) : n = n := rfl",
            Status.REJECTED,
        ),
        ("theorem foo (n : Nat) : n = n", "theorem foo : ∀ m : Nat, m = m := fun _ => rfl", Status.PROVED),
        ("theorem foo : 1 = 1", "theorem bar : 1 = 1 := rfl", Status.REJECTED),
        ("theorem foo : 1 = 1", "axiom ax : 1 = 1\ntheorem foo : 1 = 1 := ax", Status.REJECTED),
    ],
)
def test_a_proof_is_of_the_statement_by_itself(statement: str, declared: str, status: Status) -> None:
    """Asked of the kernel even where the fast level compares nothing, and whatever the messages said."""
    header = run(prelude(), "import Mathlib\n\n", header=True)
    assembly = assemble(problem(statement), "by rfl")
    found = kernel_evidence(assembly, OK, [header, run(header.env, declared)], Targets())
    assert found.status is status


@pytest.mark.parametrize("level", list(Level))
def test_a_decoy_target_of_the_candidate_changes_nothing(level: Level) -> None:
    answer = "by rfl\n\ntheorem audit_0123456789abcdef_target : True := trivial\n"
    [found] = asyncio.run(
        CoreVerifier().check([Candidate(problem("theorem foo : 1 + 1 = 2"), answer)], level)
    )
    assert found.status is Status.PROVED


def test_simp_lemmas_of_one_candidate_are_not_those_of_the_next() -> None:
    """The indexed simp set is kept between candidates; the same name may be another lemma in each."""
    front = "def g (n : Nat) : Nat := n + 1\n@[simp] theorem aux (n : Nat) : "
    body = " := rfl\ntheorem foo : 1 + 1 = 2 := by\n  have h : g 3 = 4 := by simp\n  rfl\n"
    verifier = CoreVerifier()
    found = [
        asyncio.run(verifier.check([Candidate(problem("theorem foo : 1 + 1 = 2"), answer)], Level.FAST))[
            0
        ].status
        for answer in (front + "g n = g n + 0" + body, front + "g n = n + 1" + body)
    ]
    assert found == [Status.REJECTED, Status.PROVED]


def test_a_goal_too_large_to_show_is_still_a_goal() -> None:
    async def script() -> list[Step]:
        session = await CoreSessions().open(problem("theorem foo : 1 + 1 = 2"))
        state = await session.start()
        names = [f"m{k}" for k in range(21)]
        tactics = [f"refine (?{name} ∧ ?{name})" for name in names]
        outcomes = []
        for tactic in ("refine (@And.left (1 + 1 = 2) ?m ?k)", *tactics, "exact True"):
            result = await session.apply(state, tactic)
            outcomes.append(result.outcome)
            if result.state is None:
                break
            state = result.state
        return outcomes

    assert set(asyncio.run(script())) <= {Step.OPEN, Step.INVALID}
