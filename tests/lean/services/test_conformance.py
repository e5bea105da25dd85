"""One set of candidates, the same verdicts from every service: core, REPL pool, servers, plain `lean`.

All of them stand on the embedded core here, in process or as its REPL program; only the transport differs.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from harness.lean.core.repl import Repl
from harness.lean.services.embedded import CoreVerifier
from harness.lean.services.file import FileLimits, FileVerifier, LeanCommand
from harness.lean.services.kimina import KiminaVerifier, Retries
from harness.lean.services.kimina_client import Reach
from harness.lean.services.pool import ReplPool
from harness.lean.services.pooled import ReplVerifier
from harness.lean.services.repl import Program
from harness.lean.services.server import LeanServer
from harness.lean.services.worker import PoolSettings
from harness.lean.text.placing import placed
from harness.protocols import Candidate, Verifier
from harness.serving.web import listening
from harness.types import Level, Problem, Status, Verdict

HEARTBEATS = 200_000
CALM = FileLimits(timeout_s=300)
FAKE_LEAN = Path(__file__).with_name("fake_lean.py")


def problem(name: str, statement: str, header: str = "import Mathlib\n\n") -> Problem:
    return Problem(name, "toy", "test", header, f"theorem {name} {statement}", name)


OR = problem("or_swap", "(P Q : Prop) (h : P ∨ Q) : Q ∨ P")
AND = problem("and_left'", "(P Q : Prop) (h : P ∧ Q) : P", header="")
ADD = problem("add_comm'", "(a b : Nat) : a + b = b + a", header="import Mathlib\nopen Nat\n\n")
FALSE = problem("everything", "(P : Prop) : P")
SPACE = problem(
    "Deep.inside", "(n : Nat) : n + 0 = n", header="import Mathlib\n\nset_option maxHeartbeats 400000\n"
)
EM = problem("em'", "(P : Prop) : P ∨ ¬P")

P, R = Status.PROVED, Status.REJECTED
CASES: list[tuple[Problem, str, Status, str]] = [
    (OR, "by\n  cases h with\n  | inl p => exact Or.inr p\n  | inr q => exact Or.inl q", P, "ok"),
    (OR, "h.elim Or.inr Or.inl", P, "ok"),
    (OR, "by\n  -- no sorry is needed here\n  exact h.symm", P, "ok"),
    (OR, "by exact Or.inl h", R, "error"),
    (OR, "by exact nonsense", R, "error"),
    (OR, "by sorry", R, "sorry"),
    (OR, "by\n  cases h with\n  | inl p => exact Or.inr p\n  | inr q => sorry", R, "sorry"),
    (OR, "", R, "empty"),
    (OR, "by exact (", R, "error"),
    (AND, "h.1", P, "ok"),
    (AND, "by obtain ⟨p, _⟩ := h; exact p", P, "ok"),
    (AND, "theorem and_left' (P Q : Prop) (h : P ∧ Q) : P := h.left", P, "ok"),
    (AND, "by exact h.2", R, "error"),
    (ADD, "Nat.add_comm a b", P, "ok"),
    (ADD, "by rw [Nat.add_comm]", P, "ok"),
    (ADD, "by\n  induction a with\n  | zero => simp\n  | succ n ih => sorry", R, "sorry"),
    (ADD, "by rfl", R, "error"),
    (ADD, "by intro x", R, "error"),
    (
        ADD,
        "theorem helper (a b : Nat) : b + a = a + b := Nat.add_comm b a\n\n"
        "theorem add_comm' (a b : Nat) : a + b = b + a := (helper a b).symm",
        P,
        "ok",
    ),
    (FALSE, "by assumption", R, "error"),
    (FALSE, "axiom cheat (P : Prop) : P\n\ntheorem everything (P : Prop) : P := cheat P", R, "refused"),
    (FALSE, "theorem everything (P : Prop) (h : P) : P := h", R, "statement"),
    (FALSE, "by native_decide", R, "refused"),
    (SPACE, "by rfl", P, "ok"),
    (SPACE, "Nat.add_zero n", P, "ok"),
    (SPACE, "by exact Nat.zero_add n", R, "error"),
    (EM, "Classical.em P", P, "ok"),
    (EM, "by by_cases h : P\n   · exact Or.inl h\n   · exact Or.inr h", P, "ok"),
]
IDS = [f"{case[0].id}-{number}" for number, case in enumerate(CASES)]
Opened = AbstractAsyncContextManager[Verifier]


def core_pool(workers: int = 1) -> ReplPool:
    return ReplPool(Program.of_core(2048), PoolSettings(workers, 300.0, 300.0))


def client(url: str, timeout_s: float = 300.0) -> KiminaVerifier:
    return KiminaVerifier([url], Reach(timeout_s, 60.0), 2, Retries(2, 0.05), HEARTBEATS)


@asynccontextmanager
async def core() -> AsyncIterator[Verifier]:
    yield CoreVerifier(HEARTBEATS)


@asynccontextmanager
async def repl() -> AsyncIterator[Verifier]:
    verifier = ReplVerifier(core_pool(), HEARTBEATS)
    try:
        yield verifier
    finally:
        await verifier.close()


@asynccontextmanager
async def own_server() -> AsyncIterator[Verifier]:
    pool = core_pool()
    try:
        async with listening(LeanServer(pool).application(), "127.0.0.1", 0) as url:
            verifier = client(url)
            try:
                yield verifier
            finally:
                await verifier.close()
    finally:
        await pool.close()


@asynccontextmanager
async def fake_lean(folder: Path, limits: FileLimits = CALM) -> AsyncIterator[Verifier]:
    """A verifier whose `lean` asks the core in this process."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        text = (await reader.read()).decode()
        writer.write(json.dumps(Repl().answer({"cmd": text})).encode())
        writer.close()

    server = await asyncio.start_unix_server(answer, folder / "socket")
    wrapper = folder / "lean"
    wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE_LEAN}" "{folder / "socket"}" "$@"\n')
    wrapper.chmod(0o755)
    try:
        yield FileVerifier(LeanCommand.of_project(str(folder)), limits)
    finally:
        server.close()


@asynccontextmanager
async def plain_lean() -> AsyncIterator[Verifier]:
    with tempfile.TemporaryDirectory(prefix="fake-lean-") as made:
        async with fake_lean(Path(made)) as verifier:
            yield verifier


def verdicts(opened: Callable[[], Opened], goes_on: bool = False) -> dict[Level, list[Verdict]]:
    candidates = [Candidate(case[0], case[1]) for case in CASES]

    async def run() -> dict[Level, list[Verdict]]:
        async with opened() as verifier:
            await assert_places(verifier, goes_on)
            return {level: await verifier.check(candidates, level) for level in Level}

    return asyncio.run(run())


WRONG = "theorem helper (a : Nat) : a = a + 1 := by\n\tsimp\n\n"
FAULTY: list[tuple[Problem, str, list[str]]] = [
    (OR, "by\n  exact nonsense", ["nonsense"]),
    (OR, "cases h with\n| inl p => exact p\n| inr q => exact oops", ["exact p", "oops"]),
    (OR, "by exact (", [""]),
    (
        ADD,
        f"import Mathlib\nset_option maxHeartbeats 800000\n\n{WRONG}-- so\n"
        "theorem add_comm' (a b : Nat) : a + b = b + a := by\n    have := helper a /- ? -/ b\n    exact this",
        ["by\n\tsimp", "helper a /- ? -/ b"],
    ),
    (ADD, "theorem add_comm' (x y : Nat) : x + y = y + x := by\n  exact z", ["z"]),
]
"""Wrong answers, and what of each Lean's errors point to."""


async def assert_places(verifier: Verifier, goes_on: bool) -> None:
    """`goes_on`: real Lean tells of more after a first error, which the core does not look for."""
    candidates = [Candidate(problem, answer) for problem, answer, _ in FAULTY]
    for level in Level:
        for candidate, found, case in zip(
            candidates, await verifier.check(candidates, level), FAULTY, strict=True
        ):
            shown = placed(candidate.problem, candidate.proof, found.faults)
            told = [candidate.proof[slice(*fault.span)] if fault.span else None for fault in shown]
            if goes_on:
                told = [place for place in told if place in case[2]]
            assert told == case[2], (level, shown)
            assert not any("_audit_" in fault.text for fault in shown)


def assert_expected(found: list[Verdict]) -> None:
    told = {name: (verdict.status, verdict.reason) for name, verdict in zip(IDS, found, strict=True)}
    expected = {name: (case[2], case[3]) for name, case in zip(IDS, CASES, strict=True)}
    details = {name: verdict.detail for name, verdict in zip(IDS, found, strict=True)}
    wrong = {name: (told[name], details[name]) for name in told if told[name] != expected[name]}
    assert wrong == {}


@pytest.mark.parametrize(
    "opened", [core, repl, own_server, plain_lean], ids=["core", "repl", "own-server", "file"]
)
def test_the_services_that_run_here(opened: Callable[[], Opened]) -> None:
    for level, found in verdicts(opened).items():
        assert_expected(found)
        assert {verdict.level for verdict in found} == {level}
        axioms = {case[1]: verdict.axioms for case, verdict in zip(CASES, found, strict=True)}
        assert axioms["h.1"] == () and "Classical.choice" in axioms["Classical.em P"]


@pytest.mark.kimina
def test_the_real_server(real_server: str) -> None:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Verifier]:
        verifier = client(real_server)
        try:
            yield verifier
        finally:
            await verifier.close()

    for found in verdicts(opened).values():
        assert_expected(found)


@pytest.mark.lean
def test_a_real_lean_project() -> None:
    project = os.environ.get("HARNESS_LEAN_PROJECT")
    if not project:
        pytest.skip("HARNESS_LEAN_PROJECT names no Lean project")

    @asynccontextmanager
    async def opened() -> AsyncIterator[Verifier]:
        pool = ReplPool(Program.of_project(project, 12_288), PoolSettings(1, 120.0, 600.0))
        verifier = ReplVerifier(pool, HEARTBEATS)
        try:
            yield verifier
        finally:
            await verifier.close()

    for found in verdicts(opened).values():
        assert_expected(found)
