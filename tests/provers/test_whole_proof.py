"""Whole-proof sampling."""

import asyncio

import pytest

from harness.errors import InfraError, SpecError
from harness.lean.services.embedded import CoreVerifier
from harness.provers.whole_proof import WholeProof, WholeProofProverSpec
from harness.serving.batched import BatchedPolicy
from harness.types import Attempt, Fault, Problem, Sample, Status, Turn, Usage, Verdict
from tests.provers.toy_graph import PROBLEM, Toy


def test_each_attempt_is_the_sample_of_its_own_seed():
    async def both():
        prover = WholeProof(BatchedPolicy(Toy({})))
        return await asyncio.gather(prover.attempt(PROBLEM, 0, 5), prover.attempt(PROBLEM, 1, 6))

    first, second = asyncio.run(both())
    assert (first.proof, first.raw, first.index, first.seed) == ("proof 5", "raw 5", 0, 5)
    assert (second.proof, second.index, second.usage.completion_tokens) == ("proof 6", 1, 2)


class Writer:
    """Writes `first` for a problem, then one of `later` at every repair."""

    repairs = True

    def __init__(self, first: str, *later: str) -> None:
        self.first, self.later = first, list(later)
        self.shown: list[list[Turn]] = []
        self.calls = 0

    async def sample(self, problems, seeds):
        return [Sample(self.first, f"raw {self.first}", -1.0, Usage(10, 5), "block 1")] * len(problems)

    async def repaired(self, problems, turns, seeds):
        self.calls += 1
        for place, told in enumerate(turns):
            self.shown.append(list(told))
            text = self.later.pop(0)
            yield place, Sample(text, f"raw {text}", -2.0, Usage(20, 7), "block 1")


class Judge:
    def __init__(self) -> None:
        self.asked: list[str] = []

    async def check(self, candidates, level):
        self.asked += [item.proof for item in candidates]
        return [Verdict(self.verdict(item.proof), "error", f"wrong: {item.proof}") for item in candidates]

    def verdict(self, proof: str) -> Status:
        if proof == "down":
            return Status.INFRA
        return Status.PROVED if proof == "right" else Status.REJECTED


def repaired(writer: Writer, repairs: int) -> tuple[Attempt, Judge]:
    judge = Judge()
    prover = WholeProof(writer, judge, repairs)
    return asyncio.run(prover.attempt(PROBLEM, 0, 3)), judge


def test_a_refused_proof_is_shown_again_with_leans_message():
    writer = Writer("a", "b", "right", "never")
    made, judge = repaired(writer, 3)
    assert (made.proof, made.origin, made.logprob) == ("right", "repair 2: block 1", -2.0)
    assert made.usage == Usage(50, 19)
    assert writer.shown[1] == [
        Turn("raw a", "a", (Fault("wrong: a"),)),
        Turn("raw b", "b", (Fault("wrong: b"),)),
    ]
    assert judge.asked == ["a", "b", "right"]


def test_repairs_of_many_attempts_are_asked_for_together():
    writer = Writer("a", *["right"] * 5)
    prover = WholeProof(BatchedPolicy(writer), Judge(), 1)

    async def all_of_them():
        return await asyncio.gather(*(prover.attempt(PROBLEM, number, number) for number in range(5)))

    assert {made.proof for made in asyncio.run(all_of_them())} == {"right"}
    assert (writer.calls, len(writer.shown)) == (1, 5)


def test_a_repair_shows_every_error_in_its_place():
    async def run():
        problem = Problem("t", "toy", "test", "", "theorem t (p q : Prop) (h : p ∧ q) : q ∧ p", "t")
        proof = (
            "-- mine\ntheorem t (p q : Prop) (h : p ∧ q) : q ∧ p := by\n"
            "  constructor\n  · exact h.1\n  · exact g"
        )
        writer = Writer(proof, "⟨h.2, h.1⟩")
        made = await WholeProof(writer, CoreVerifier(), 1).attempt(problem, 0, 0)
        assert made.proof == "⟨h.2, h.1⟩"
        [[turn]] = writer.shown
        return [(fault.text.split("\n")[0], proof[slice(*fault.span)]) for fault in turn.faults]

    first, second = asyncio.run(run())
    assert first == ("Type mismatch", "exact h.1")
    assert second[1] == "g"


def test_turns_end_at_their_number_and_an_answer_without_lean_counts_as_one():
    made, judge = repaired(Writer("", "b"), 1)
    assert (made.proof, judge.asked) == ("b", [])
    first, judge = repaired(Writer("right"), 2)
    assert (first.proof, first.origin, first.usage) == ("right", "block 1", Usage(10, 5))


def test_a_machine_that_fails_between_turns_is_no_failed_proof():
    with pytest.raises(InfraError, match="could not be checked"):
        repaired(Writer("down", "right"), 1)


def test_repairs_that_nobody_can_make_are_refused():
    with pytest.raises(SpecError, match="set repairs: 0"):
        WholeProof(Toy({}), Judge(), 1)
    with pytest.raises(SpecError, match="there is no Lean"):
        WholeProof(Writer("a"), None, 1)
    assert "repairs" not in WholeProofProverSpec().model_dump(mode="json")
