"""The embedded service beyond the shared conformance tests: what it asks of the kernel itself."""

from __future__ import annotations

import asyncio

import pytest

from harness.lean.core import work
from harness.lean.core.session import prelude, run
from harness.lean.services.embedded import CoreSessions, CoreVerifier, Targets, kernel_evidence
from harness.lean.text.assemble import assemble
from harness.lean.verdicts.checking import MAX_ANSWER
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
        names = [f"m{k}" for k in range(18)]
        tactics = [f"refine (?{name} ∧ ?{name})" for name in names]
        outcomes, goals = [], set[str]()
        for tactic in ("refine (@And.left (1 + 1 = 2) ?m ?k)", *tactics, "exact True"):
            result = await session.apply(state, tactic)
            outcomes.append(result.outcome)
            if result.state is None:
                break
            state = result.state
            goals.update(state.goals)
        assert "⊢ ⋯" in goals, "none was too large"
        return outcomes

    assert set(asyncio.run(script())) <= {Step.OPEN, Step.INVALID}


SLOW = "by\n" + "  have h : 1 + 1 = 2 := rfl\n" * 400 + "  rfl"


class SlowClock:
    """Each look at it takes a second, so that seconds are counted alike everywhere."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        self.seconds += 1.0
        return self.seconds


@pytest.mark.parametrize("level", list(Level))
def test_a_check_ends_at_its_time_limit_as_the_models_failure(
    level: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    prelude()
    clock = SlowClock()
    monkeypatch.setattr(work, "time", clock)
    candidate = Candidate(problem("theorem foo : 1 + 1 = 2"), SLOW)
    [found] = asyncio.run(CoreVerifier(timeout_s=200.0).check([candidate], level))
    assert (found.status, found.reason) == (Status.TIMEOUT, "timeout")
    assert "200 s" in found.detail
    assert clock.seconds < 300  # it did not go on after its limit
    [found] = asyncio.run(CoreVerifier(timeout_s=100_000.0).check([candidate], level))
    assert found.status is Status.PROVED


def test_a_tactic_ends_at_its_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script() -> list[Step]:
        session = await CoreSessions(timeout_s=200.0).open(problem("theorem foo : 1 + 1 = 2"))
        state = await session.start()
        monkeypatch.setattr(work, "time", SlowClock())
        slow = "(" + "; ".join(SLOW.split("\n  ")[1:]) + ")"
        return [(await session.apply(state, tactic)).outcome for tactic in (slow, "rfl")]

    assert asyncio.run(script()) == [Step.TIMEOUT, Step.DONE]


def test_a_statement_that_the_clock_stops_is_the_machines_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """No text of the model has run yet."""
    prelude()
    monkeypatch.setattr(work, "time", SlowClock())
    candidate = Candidate(problem("theorem foo : 1 + 1 = 2"), "by rfl")
    [found] = asyncio.run(CoreVerifier(timeout_s=0.5).check([candidate], Level.STRICT))
    assert found.status is Status.INFRA


@pytest.mark.parametrize("level", list(Level))
def test_nodes_are_counted_where_steps_are_few(level: Level) -> None:
    """One match arm, a thousand nested cases: refused on every machine alike, long before any clock."""
    answer = "by\n  have h (n : Nat) : n = n := match n with | 300 => rfl | _ => rfl\n  rfl"
    candidate = Candidate(problem("theorem foo : 1 + 1 = 2"), answer)
    [found] = asyncio.run(CoreVerifier(heartbeats=20_000).check([candidate], level))
    assert (found.status, found.reason) == (Status.REJECTED, "error")
    assert "heartbeats" in found.detail


def test_an_answer_that_no_model_writes_is_not_read() -> None:
    candidate = Candidate(problem("theorem foo : 1 + 1 = 2"), "by rfl" + " " * MAX_ANSWER)
    [found] = asyncio.run(CoreVerifier().check([candidate], Level.FAST))
    assert (found.status, found.reason) == (Status.REJECTED, "refused")
    assert str(MAX_ANSWER) in found.detail
