"""Strict verdicts that a second kernel bears out; a stand-in for `lean` leaves what a test asks for."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.lean.core.library import library
from harness.lean.services.file import LeanCommand
from harness.lean.services.opening import open_services
from harness.lean.services.second_kernel import TIER, JudgeLimits, SecondKernel
from harness.protocols import Candidate
from harness.spec import LeanSpec
from harness.types import Level, Problem, Status, Verdict
from tests.lean.compiled.writing import write_library

PROBLEM = Problem("foo", "b", "test", "", "theorem foo : 2 + 2 = 4", "foo")

LEAN = """
import os, re, sys, time
from pathlib import Path
if "--print-libdir" in sys.argv:
    print(LIB)
    sys.exit()
from tests.lean.compiled.claims import RIGHT, WRONG, refl, sorry
from harness.lean.core.term import Const, Lit
from tests.lean.compiled.writing import theorem, write_module
text = Path(sys.argv[-1]).read_text()
place = Path(sys.argv[sys.argv.index("-o") + 1])
assert sys.argv[sys.argv.index("-R") + 1] == str(place.parent)
if "variable" in text and "section _audit_header\\n" not in text:
    sys.exit(1)  # the audit closes that section; without it its theorem would have the header's variables
check = re.search(r"theorem _root_\\.(\\S+) : type_of%", text)
if check is None:
    write_module(place, [theorem("foo", RIGHT, sorry(RIGHT))])
    sys.exit(1 if "broken" in text else 0)
statement = WRONG if "another" in text else RIGHT
value = sorry(statement) if "lazy" in text else refl(Lit(3)) if "lying" in text else refl(Lit(4))
write_module(place, [theorem("foo", statement, value), theorem(check[1], statement, Const("foo"))])
if "slow" in text:
    time.sleep(60)
if "gone" in text:
    place.unlink()
if "link" in text:
    place.unlink()
    place.symlink_to("/etc/passwd")
if "garbage" in text:
    place.write_bytes(b"olean" + bytes(200))
sys.exit(1 if "error" in text else 5 if "crash" in text else 0)
"""


class Believer:
    """Accepts everything, as a Lean that a candidate has fooled would."""

    async def check(self, candidates: Sequence[Candidate], level: Level) -> list[Verdict]:
        return [
            Verdict(Status.REJECTED, "error", level=level)
            if "wrong" in candidate.proof
            else Verdict(Status.PROVED, "ok", level=level, verifier="file", tier="repl-checked")
            for candidate in candidates
        ]

    async def close(self) -> None:
        """Nothing to stop."""


@pytest.fixture
def lean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LeanCommand:
    write_library(tmp_path / "lib", library().kernel)
    # The stand-in's modules import `Init` and nothing else, as its target does.
    script = tmp_path / "lean.py"
    script.write_text(LEAN.replace("LIB", repr(str(tmp_path / "lib"))))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    monkeypatch.delenv("LEAN_PATH", raising=False)
    return LeanCommand((sys.executable, str(script)))


def judged(
    lean: LeanCommand,
    tmp_path: Path,
    *proofs: str,
    level: Level = Level.STRICT,
    problem: Problem = PROBLEM,
    timeout_s: float = 30.0,
) -> list[Verdict]:
    return judged_all(lean, tmp_path, [Candidate(problem, proof) for proof in proofs], level, timeout_s)


def judged_all(
    lean: LeanCommand,
    tmp_path: Path,
    candidates: Sequence[Candidate],
    level: Level = Level.STRICT,
    timeout_s: float = 30.0,
) -> list[Verdict]:
    async def script() -> list[Verdict]:
        limits = JudgeLimits(timeout_s=timeout_s, memory_mb=4096)
        verifier = SecondKernel(Believer(), lean, tmp_path / "indexes", limits)
        try:
            return await verifier.check(candidates, level)
        finally:
            await verifier.close()

    return asyncio.run(script())


def test_a_batch_is_judged_from_its_compiled_files(lean: LeanCommand, tmp_path: Path) -> None:
    proofs = ["rfl", "exact lying", "exact lazy", "exact another", "wrong", "exact garbage", "exact error"]
    found = judged(lean, tmp_path, *proofs)
    assert [(v.status, v.reason) for v in found] == [
        (Status.PROVED, "ok"),
        (Status.REJECTED, "kernel"),
        (Status.REJECTED, "sorry"),
        (Status.REJECTED, "statement"),
        (Status.REJECTED, "error"),
        (Status.REJECTED, "kernel"),
        (Status.REJECTED, "error"),
    ]
    assert [v.tier for v in found[:4]] == [TIER] * 4
    assert found[0].verifier == "file" and found[0].level is Level.STRICT


def test_variables_of_the_header_stand_in_the_section_that_the_audit_closes(
    lean: LeanCommand, tmp_path: Path
) -> None:
    header = "variable (p : Prop) (h : p)\ninclude h\n\n"
    [found] = judged(lean, tmp_path, "rfl", problem=replace(PROBLEM, header=header))
    assert (found.status, found.tier) == (Status.PROVED, TIER)


def test_a_quoted_name_is_found_in_the_compiled_file(lean: LeanCommand, tmp_path: Path) -> None:
    quoted = Problem("foo", "b", "test", "", "theorem «foo» : 2 + 2 = 4", "«foo»")
    [found] = judged(lean, tmp_path, "rfl", problem=quoted)
    assert (found.status, found.tier) == (Status.PROVED, TIER)


def test_a_statement_that_cannot_be_found_costs_no_other_candidate_its_verdict(
    lean: LeanCommand, tmp_path: Path
) -> None:
    absent = Problem("bar", "b", "test", "", "theorem bar : 2 + 2 = 4", "bar")  # the stand-in states `foo`
    found = judged_all(lean, tmp_path, [Candidate(p, "rfl") for p in (PROBLEM, absent, PROBLEM)])
    assert [(v.status, v.reason) for v in found] == [
        (Status.PROVED, "ok"),
        (Status.INFRA, "service"),
        (Status.PROVED, "ok"),
    ]
    assert "does not state bar" in found[1].detail


@pytest.mark.parametrize(("proof", "status"), [("gone", Status.REJECTED), ("link", Status.REJECTED)])
def test_a_candidate_cannot_have_itself_not_scored(
    lean: LeanCommand, tmp_path: Path, proof: str, status: Status
) -> None:
    [found] = judged(lean, tmp_path, f"exact {proof}")
    assert (found.status, found.reason) == (status, "evidence")


def test_time_is_the_candidates_a_crash_the_machines(lean: LeanCommand, tmp_path: Path) -> None:
    [late] = judged(lean, tmp_path, "exact slow", timeout_s=3.0)
    assert (late.status, late.reason) == (Status.TIMEOUT, "timeout")
    [fallen] = judged(lean, tmp_path, "exact crash")
    assert (fallen.status, fallen.reason) == (Status.INFRA, "service")


def test_the_reading_that_compiles_is_judged(lean: LeanCommand, tmp_path: Path) -> None:
    """The answer's own theorem does not compile; its proof under our statement does."""
    [found] = judged(lean, tmp_path, "theorem foo (error : True) : 2 + 2 = 4 := rfl")
    assert (found.status, found.tier) == (Status.PROVED, TIER)
    [wrong] = judged(lean, tmp_path, "theorem foo (error : True) : 2 + 2 = 4 := another")
    assert (wrong.status, wrong.reason) == (Status.REJECTED, "statement")


def test_a_statement_that_lean_does_not_take_is_the_machines_fault(lean: LeanCommand, tmp_path: Path) -> None:
    broken = Problem("foo", "b", "test", "-- broken\n", "theorem foo : 2 + 2 = 4", "foo")
    [found] = judged(lean, tmp_path, "rfl", problem=broken)
    assert found.status is Status.INFRA


def test_the_fast_level_is_lean_alone(lean: LeanCommand, tmp_path: Path) -> None:
    [found] = judged(lean, tmp_path, "exact lying", level=Level.FAST)
    assert (found.status, found.tier) == (Status.PROVED, "repl-checked")


def test_a_library_that_is_missing_is_the_machines_fault(lean: LeanCommand, tmp_path: Path) -> None:
    (tmp_path / "lib" / "Init.olean").unlink()
    [found] = judged(lean, tmp_path, "rfl")
    assert found.status is Status.INFRA and "Init" in found.detail


def test_the_judge_needs_real_lean() -> None:
    with pytest.raises(UserError, match=r"lean\.judge"):
        open_services(LeanSpec(service="core", judge="compiled"))
    with pytest.raises(UserError, match=r"lean\.judge"):
        open_services(LeanSpec(service="repl", judge="compiled"))
