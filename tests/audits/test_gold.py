"""Validation has every problem stated and asks the verifier about every gold proof."""

import asyncio
import dataclasses
from dataclasses import dataclass, field

from harness.audits.gold import BATCH, PROBE, validate
from harness.lean.services.embedded import CoreVerifier
from harness.types import Level, Problem, Status, Verdict


def problem(name: str, gold: str | None) -> Problem:
    return Problem(name, "toy", "test", "", f"theorem {name} : True", name, gold=gold)


@dataclass
class Fake:
    """Proves `good`, times out on `slow`, fails itself on `down`, cannot state `odd`, rejects the rest."""

    asked: list[list[str]] = field(default_factory=list)

    async def check(self, candidates, level):
        self.asked.append([c.proof for c in candidates])
        known = {
            "good": (Status.PROVED, "ok"),
            "slow": (Status.TIMEOUT, "timeout"),
            "down": (Status.INFRA, "service"),
            "odd": (Status.INFRA, "toolchain"),
        }
        verdicts = [known.get(c.proof, (Status.REJECTED, "error")) for c in candidates]
        return [
            Verdict(status, reason, f"about {reason}", level=level, seconds=0.5)
            for status, reason in verdicts
        ]

    async def close(self):
        pass


def test_failures_are_listed_with_reasons_and_apart_from_what_was_not_judged():
    proofs = ["good", "bad", "slow", "down", None, "good", "odd"]
    problems = [problem(f"p{i}", proof) for i, proof in enumerate(proofs)]
    fake, told = Fake(), []
    found = asyncio.run(validate(problems, fake, Level.STRICT, told.append))
    assert (found.problems, found.with_gold, found.proved, found.level) == (7, 6, 2, Level.STRICT)
    assert [(f.id, f.reason, f.proof) for f in found.failures] == [
        ("p1", "error", "bad"),
        ("p2", "timeout", "slow"),
    ]
    assert [f.id for f in found.unjudged] == ["p3"] and found.unjudged[0].detail == "about service"
    assert [f.id for f in found.unstated] == ["p6"]
    assert found.by_reason == {"error": 1, "timeout": 1} and found.seconds == 3.5
    assert fake.asked == [["good", "bad", "slow", "down", PROBE, "good", "odd"]] and told == [7]


def test_every_statement_is_elaborated_with_or_without_a_gold_proof():
    texts = {"good": "theorem good (n : Nat) : n + 0 = n", "cut": "theorem cut : 1 =",
             "real": "theorem real (x : ℝ) : x = x", "odd": "theorem odd (n : Nat) : n = True"}  # fmt: skip
    problems = [
        Problem(name, "toy", "test", "", text, name, toolchain="core") for name, text in texts.items()
    ]
    problems.append(dataclasses.replace(problems[1], id="gold", gold="rfl"))
    for level in Level:
        found = asyncio.run(validate(problems, CoreVerifier(), level))
        assert [f.id for f in found.unstated] == ["cut", "real", "odd", "gold"]
        assert not found.failures and not found.unjudged


def test_batches_are_bounded_and_nothing_to_do_is_fine():
    fake = Fake()
    found = asyncio.run(validate([problem(f"p{i}", "good") for i in range(BATCH + 1)], fake))
    assert [len(batch) for batch in fake.asked] == [BATCH, 1] and found.proved == BATCH + 1
    assert asyncio.run(validate([], fake)).with_gold == 0


def test_what_the_core_cannot_check_is_not_called_wrong():
    nat = "theorem d : ∀ n : Nat, n + 0 = n"
    known = Problem("d", "toy", "test", "", nat, "d", toolchain="core")
    golds = ["| 0 => rfl\n  | n + 1 => rfl", ":= h\nwhere h := fun n => rfl", "by\n  intro n\n  exact absurd"]
    problems = [dataclasses.replace(known, id=f"p{i}", gold=gold) for i, gold in enumerate(golds)]
    found = asyncio.run(validate(problems, CoreVerifier(), Level.STRICT))
    assert [f.id for f in found.beyond] == ["p0", "p1"]
    assert [f.id for f in found.failures] == ["p2"] and not found.unstated and not found.unjudged


def test_names_in_guillemets_are_names_whatever_stands_in_them():
    texts = [
        ("", "«sum is even»"),
        ("", "«a.b»"),
        ("", "A.«b.c».d"),
        ("", "_root_.«z.z»"),
        ("namespace «my space»\n", "foo"),
        ("namespace «a.b».c\n", "«x.y»"),
    ]
    problems = [
        Problem(f"p{i}", "toy", "test", header, f"theorem {name} (n : Nat) : n + 0 = n", name,
                toolchain="core", gold=gold)
        for i, (header, name) in enumerate(texts)
        for gold in ("rfl", f"by\n  have := {name}\n  simp")
    ]  # fmt: skip
    found = asyncio.run(validate(problems, CoreVerifier(), Level.STRICT))
    assert found.proved == len(texts) and not found.unstated
    assert len(found.failures + found.beyond) == len(texts), "no theorem proves itself"
