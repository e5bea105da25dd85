"""Canaries: mixed in by seed, counted nowhere, and loud when one is proved."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from harness.audits.canaries import (
    BENCHMARK,
    canaries,
    check_canaries,
    is_canary,
    is_false,
    mix_canaries,
)
from harness.errors import HarnessError, UserError
from harness.lean.services.embedded import CoreVerifier
from harness.protocols import Candidate
from harness.types import Attempt, Hole, Level, Problem, Record, Status, Verdict

CORE = [
    Problem(f"p{i}", "toy", "test", "", f"theorem p{i} : {i} = {i}", f"p{i}", toolchain="core")
    for i in range(9)
]
REAL = [
    Problem("q", "b", "test", "import Mathlib\nopen Nat\n\n", "theorem q : 1 = 1", "q", toolchain="v4.24.0")
]


def record(name: str, status: Status = Status.PROVED, benchmark: str = BENCHMARK) -> Record:
    return Record(benchmark, "test", name, "r", Attempt(name, 0, 0, "trick"), Verdict(status, "ok"))


def test_there_are_false_ones_and_pairs_in_the_fragment_and_with_mathlib() -> None:
    core, real = canaries("", "core"), canaries(REAL[0].header, "v4.24.0")
    assert len(real) > len(core)
    assert not any("ℝ" in item.statement for item in core)
    assert len({item.id for item in real}) == len(real)
    for item in core:
        if item.id.endswith("_no"):
            twin = next(other for other in core if other.id == item.id.removesuffix("_no") + "_yes")
            assert item.statement.split(" : ", 1)[1] == f"¬({twin.statement.split(' : ', 1)[1]})"


def test_mixing_keeps_the_problems_and_their_order() -> None:
    for seed in range(20):
        mixed = mix_canaries(CORE, 7, seed)
        assert [item for item in mixed if item.benchmark != BENCHMARK] == CORE
        chosen = [item.id for item in mixed if item.benchmark == BENCHMARK]
        assert 6 <= len(chosen) <= 7
        assert sum(name.endswith("_yes") for name in chosen) == sum(name.endswith("_no") for name in chosen)
        assert mixed == mix_canaries(CORE, 7, seed)
    assert mix_canaries(CORE, 7, 1) != mix_canaries(CORE, 7, 2)
    assert mix_canaries(CORE, 0, 1) == CORE


def test_a_false_one_comes_early_and_the_others_are_spread() -> None:
    many = [dataclasses.replace(CORE[0], id=f"p{n}", theorem=f"p{n}") for n in range(400)]
    for seed in range(20):
        mixed = mix_canaries(many, 4, seed)
        places = [place for place, item in enumerate(mixed) if item.benchmark == BENCHMARK]
        assert any(is_false(item) for item in mixed[:20])
        assert places[-1] - places[0] > 40
    assert is_false(mix_canaries(CORE, 1, 0)[0])


def test_a_canary_stands_under_its_neighbours_header() -> None:
    mixed = mix_canaries(REAL, 5, 3)
    assert {item.header for item in mixed} == {REAL[0].header}
    holed = Problem(
        "h",
        "b",
        "test",
        "import Mathlib\nabbrev h_solution : ℕ := sorry\n",
        "theorem h : 1 = 1",
        "h",
        holes=(Hole("h_solution", "ℕ", "1"),),
    )
    assert all(
        "sorry" not in item.header for item in mix_canaries([holed], 4, 0) if item.benchmark == BENCHMARK
    )


def test_every_canary_of_the_fragment_can_be_judged_there() -> None:
    problems = canaries("import Mathlib\n\n", "core")
    proofs = [
        "first | rfl | assumption | trivial | decide",
        "by\n  intros\n  simp_all",
        "by\n  intros\n  omega",
    ]
    checks = [Candidate(problem, proof) for problem in problems for proof in proofs]
    verdicts = asyncio.run(CoreVerifier().check(checks, Level.STRICT))
    assert {verdict.status for verdict in verdicts} <= {Status.PROVED, Status.REJECTED}
    proved = {item.problem.id for item, v in zip(checks, verdicts, strict=True) if v.status is Status.PROVED}
    assert not any(name.startswith("canary_false_") for name in proved)
    assert not any(name.endswith("_no") and name.removesuffix("_no") + "_yes" in proved for name in proved)
    assert proved, "the true half of some pair is within reach of these proofs"


def test_bad_counts() -> None:
    for count in (-1, 10_000):
        with pytest.raises(UserError, match="canaries"):
            mix_canaries(CORE, count, 0)
    with pytest.raises(UserError, match="no problem"):
        mix_canaries([], 1, 0)


def test_a_false_canary_proved_is_loud() -> None:
    with pytest.raises(HarnessError, match=r"canary_false_1.*trick"):
        check_canaries([record("p0", benchmark="toy"), record("canary_false_1")])


def test_both_halves_of_a_pair_are_loud_and_one_is_not() -> None:
    check_canaries([record("canary_pair_1_yes"), record("canary_pair_2_no"), record("canary_pair_10_no")])
    with pytest.raises(HarnessError, match="both halves of canary_pair_1 "):
        check_canaries([record("canary_pair_1_no"), record("canary_pair_2_no"), record("canary_pair_1_yes")])


def test_what_is_not_proved_is_quiet() -> None:
    check_canaries([record("canary_false_0", status) for status in Status if status is not Status.PROVED])
    check_canaries([record("canary_false_0", benchmark="toy")])
    assert [is_canary(record("x")), is_canary(record("x", benchmark="toy"))] == [True, False]
