"""The pool: headers once per worker, recycling, isolation, and verdicts through REPLs that misbehave."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from harness.errors import BadReply, InfraError
from harness.lean.services.pool import ReplPool
from harness.lean.services.pooled import ReplSessions, ReplVerifier
from harness.lean.services.repl import Program
from harness.lean.services.worker import PoolSettings, split_imports
from harness.protocols import Candidate
from harness.types import Level, Problem, ProofState, Status, Step, Verdict

FAKE = str(Path(__file__).with_name("fake_repl.py"))
PROBLEM = Problem("p", "toy", "test", "import Mathlib\nopen Nat\n\n", "theorem p (n : Nat) : n = n", "p")


def pool(*options: str, workers: int = 1, memory_mb: int = 1024, **settings: Any) -> ReplPool:
    program = Program((sys.executable, FAKE, *options), None, memory_mb)
    return ReplPool(
        program, PoolSettings(workers, **{"timeout_s": 60.0, "header_timeout_s": 60.0} | settings)
    )


def judged(
    repls: ReplPool, proofs: list[str], level: Level = Level.STRICT, attempts: int = 2
) -> list[Verdict]:
    async def run() -> list[Verdict]:
        verifier = ReplVerifier(repls, 1000, attempts)
        try:
            return await verifier.check([Candidate(PROBLEM, proof) for proof in proofs], level)
        finally:
            await verifier.close()

    return asyncio.run(run())


def requests(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_imports_split_from_the_rest_of_a_header() -> None:
    assert split_imports("import A\n\nimport B\nopen C\n") == ("import A\n\nimport B\n", "open C\n")
    assert split_imports("import A") == ("import A", "")
    assert split_imports("-- why\nimport A\n") == ("", "-- why\nimport A\n")
    assert split_imports("") == ("", "")


@pytest.mark.parametrize("level", list(Level))
def test_verdicts(level: Level) -> None:
    verdicts = judged(pool(workers=2), ["by simp", "by exact BAD", "by rfl -- fine", "by sorry", ""], level)
    assert [verdict.status for verdict in verdicts] == [
        Status.PROVED, Status.REJECTED, Status.PROVED, Status.REJECTED, Status.REJECTED
    ]  # fmt: skip
    assert [verdict.reason for verdict in verdicts] == ["ok", "error", "ok", "sorry", "empty"]
    assert {verdict.verifier for verdict in verdicts} == {"repl"}


def test_a_header_is_imported_once_for_each_worker(tmp_path: Path) -> None:
    log = tmp_path / "log"
    judged(pool("--log", str(log), workers=2), [f"by simp -- {n}" for n in range(12)])
    imports = [request for request in requests(log) if "import Mathlib" in request["cmd"]]
    assert 1 <= len(imports) <= 2
    assert all("env" not in request for request in imports)
    assert all("env" in request for request in requests(log) if "theorem p" in request["cmd"])


def test_the_nonce_is_unknown_while_the_candidate_runs(tmp_path: Path) -> None:
    log = tmp_path / "log"
    judged(pool("--log", str(log)), ["by simp"])
    sent = [request["cmd"] for request in requests(log)]
    candidate = next(number for number, cmd in enumerate(sent) if "simp" in cmd)
    check = next(line.split()[-1] for cmd in sent for line in cmd.splitlines() if line.startswith("#print"))
    assert not any(check in cmd for cmd in sent[: candidate + 1])


def test_a_refused_header_is_the_machines_failure() -> None:
    for level in Level:
        (verdict,) = judged(pool("--reject-imports"), ["by simp"], level)
        assert verdict.status is Status.INFRA
        assert "unknown module prefix" in verdict.detail


def test_workers_are_replaced_after_a_number_of_checks(tmp_path: Path) -> None:
    log = tmp_path / "log"
    verdicts = judged(pool("--log", str(log), recycle_after=2), [f"by simp -- {n}" for n in range(5)])
    assert {verdict.status for verdict in verdicts} == {Status.PROVED}
    assert sum("import Mathlib" in request["cmd"] for request in requests(log)) == 3


def test_a_repl_that_dies_now_and_then_costs_nothing() -> None:
    verdicts = judged(pool("--die-after", "17"), [f"by simp -- {n}" for n in range(8)], attempts=3)
    assert {verdict.status for verdict in verdicts} == {Status.PROVED}


@pytest.mark.parametrize("fault", ["die", "garbage", "truncated", "blocks", "late_block", "grow"])
@pytest.mark.parametrize("level", list(Level))
def test_a_fault_stays_with_its_candidate(fault: str, level: Level) -> None:
    proofs = ["by simp", f"by simp FAULT_{fault}", "by exact BAD", "by rfl"]
    verdicts = judged(pool(memory_mb=400), proofs, level)
    statuses = [verdict.status for verdict in verdicts]
    assert statuses == [Status.PROVED, Status.INFRA, Status.REJECTED, Status.PROVED]
    assert verdicts[1].reason in ("service", "evidence")


def test_a_hanging_candidate_times_out_and_only_it(hangs_end_soon: None) -> None:
    verdicts = judged(pool(), ["by simp", "by simp FAULT_hang", "by rfl"])
    assert [verdict.status for verdict in verdicts] == [Status.PROVED, Status.TIMEOUT, Status.PROVED]


def test_floods_and_long_lines_change_nothing() -> None:
    verdicts = judged(pool("--stderr-kb", "200"), ["by simp FAULT_long", "by simp FAULT_stderr", "by rfl"])
    assert {verdict.status for verdict in verdicts} == {Status.PROVED}


def test_waiting_for_a_worker_is_not_charged() -> None:
    started = time.perf_counter()
    verdicts = judged(pool("--slow", "0.02"), [f"by simp -- {n}" for n in range(5)])
    assert {verdict.status for verdict in verdicts} == {Status.PROVED}
    # One worker: were waiting counted, all together would be more than what passed.
    assert 0 < sum(verdict.seconds for verdict in verdicts) <= time.perf_counter() - started


def test_a_program_that_cannot_start_ends_in_infra() -> None:
    broken = ReplPool(Program(("/nonexistent/repl",)), PoolSettings())
    (verdict,) = judged(broken, ["by simp"])
    assert verdict.status is Status.INFRA and "cannot start" in verdict.detail


def test_closing_releases_those_who_wait() -> None:
    async def run() -> list[Verdict]:
        repls = pool()
        verifier = ReplVerifier(repls, 1000, 1)
        checks = [
            asyncio.create_task(verifier.check([Candidate(PROBLEM, f"by simp FAULT_hang {n}")], Level.FAST))
            for n in range(3)
        ]
        await asyncio.sleep(0.3)
        await verifier.close()
        return [verdict for check in checks for verdict in await check]

    assert {verdict.status for verdict in asyncio.run(run())} == {Status.INFRA}


def in_session(repls: ReplPool, use: Callable[[Any], Awaitable[None]]) -> None:
    async def run() -> None:
        session = await ReplSessions(repls, 1000, 2).open(PROBLEM)
        try:
            await use(session)
        finally:
            await session.close()
            await repls.close()

    asyncio.run(run())


def opened(state: ProofState | None) -> ProofState:
    assert state is not None
    return state


def test_a_session_steps_branches_and_ends() -> None:
    async def use(session: Any) -> None:
        root = await session.start()
        assert root.goals == ("⊢ G2",)
        first = await session.apply(root, "step")
        assert first.outcome is Step.OPEN and opened(first.state).goals == ("⊢ G1",)
        assert (await session.apply(opened(first.state), "step")).outcome is Step.DONE
        assert (await session.apply(root, "BAD")).outcome is Step.INVALID
        again = await session.apply(root, "step")
        assert opened(again.state).goals == ("⊢ G1",)

    in_session(pool(), use)


def test_no_goals_without_a_completed_status_is_no_success() -> None:
    async def use(session: Any) -> None:
        result = await session.apply(await session.start(), "fake_done")
        assert result.outcome is Step.INVALID and "metavariable" in result.message

    in_session(pool(), use)


def test_screened_tactics_never_reach_the_repl(tmp_path: Path) -> None:
    log = tmp_path / "log"

    async def use(session: Any) -> None:
        result = await session.apply(await session.start(), "sorry")
        assert result.outcome is Step.INVALID and "refused" in result.message

    in_session(pool("--log", str(log)), use)
    assert not any("tactic" in request for request in requests(log))


def tactics_by_process(log: Path) -> dict[int, list[str]]:
    """What each process was asked in tactic mode, in order."""
    found: dict[int, list[str]] = {}
    for request in requests(log):
        if "tactic" in request:
            found.setdefault(request["pid"], []).append(request["tactic"])
    return found


def test_tactics_of_a_lone_problem_are_spread_and_say_what_one_process_says(tmp_path: Path) -> None:
    tried = ["mark_a", "BAD 1", "mark_b", "fake_done", "step", "mark_c", "BAD 2", "mark_d"]

    async def searched(session: Any) -> list[Any]:
        """Three expansions, each of the state that the last tactic led to."""
        state, told = await session.start(), []
        for _ in range(3):
            results = await asyncio.gather(*(session.apply(state, tactic) for tactic in tried))
            told.append([(one.outcome, one.message, one.state and one.state.goals) for one in results])
            state = opened(results[-1].state)
        return told

    found = {}
    for workers in (1, 3):

        async def use(session: Any, workers: int = workers) -> None:
            assert session.overlaps is (workers > 1)
            root = await session.start()
            await asyncio.gather(*(session.apply(root, "BAD") for _ in range(4)))
            while any(not one.headers for one in session._pool._workers):
                await asyncio.sleep(0.01)
            found[workers] = await searched(session)

        in_session(pool("--slow", "0.002", "--log", str(tmp_path / str(workers)), workers=workers), use)
    assert found[1] == found[3]
    asked = tactics_by_process(tmp_path / "3")
    assert len(asked) == 3 and len(tactics_by_process(tmp_path / "1")) == 1
    # Every process made the two expanded states again that it had not seen, and nothing twice.
    extra = sum(map(len, asked.values())) - len(tactics_by_process(tmp_path / "1").popitem()[1])
    assert 0 < extra <= 2 * 2


def test_a_replay_that_leads_elsewhere_is_refused_and_tried_at_home() -> None:
    async def use(session: Any) -> None:
        state = opened((await session.apply(await session.start(), "mark_a")).state)
        state.handle.goals, told = ("⊢ other",), state.handle.goals
        process, state.handle.places = state.handle.places[0][0], ()
        with pytest.raises(BadReply, match="led to other goals"):
            await session.apply(state, "step")
        state.handle.goals = told
        assert (await session.apply(state, "step")).outcome is Step.OPEN
        assert state.handle.number(process) is not None

    in_session(pool(), use)


def test_a_tactic_nobody_waits_for_any_more_costs_no_process(tmp_path: Path) -> None:
    log = tmp_path / "log"

    async def use(session: Any) -> None:
        root = await session.start()
        first = asyncio.ensure_future(session.apply(root, "mark_a"))
        second = asyncio.ensure_future(session.apply(root, "mark_b"))
        while "mark_a" not in log.read_text():
            await asyncio.sleep(0)
        for task in (first, second):
            task.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        assert (await session.apply(root, "step")).outcome is Step.OPEN

    in_session(pool("--slow", "0.02", "--log", str(log)), use)
    assert [list(asked) for asked in tactics_by_process(log).values()] == [["mark_a", "step"]]


def test_states_outlive_their_process(hangs_end_soon: None) -> None:
    async def use(session: Any) -> None:
        first = await session.apply(await session.start(), "step")
        late = await session.apply(opened(first.state), "step FAULT_hang")
        assert late.outcome is Step.TIMEOUT
        assert (await session.apply(opened(first.state), "step")).outcome is Step.DONE
        with pytest.raises(InfraError):
            await session.apply(opened(first.state), "step FAULT_die")
        assert (await session.apply(opened(first.state), "step")).outcome is Step.DONE

    in_session(pool(), use)
