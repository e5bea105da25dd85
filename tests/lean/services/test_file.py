"""The service `file`: one `lean` process a check, whatever becomes of it."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from harness.errors import BadReply, UserError
from harness.lean.services.file import FileLimits, LeanCommand
from harness.lean.services.opening import open_services
from harness.lean.verdicts.replies import read_output
from harness.protocols import Candidate
from harness.spec import LeanSpec
from harness.types import Level, Problem, Status, Verdict
from tests.lean.services.test_conformance import CALM, fake_lean

GOAL = Problem("goal", "toy", "test", "", "theorem goal (p q : Prop) (h : p ∧ q) : q ∧ p", "goal")
PROOF = "⟨h.2, h.1⟩"


def with_fault(name: str) -> str:
    return f"⟨(fun fake_{name} => fake_{name}) h.2, h.1⟩"


def judged(folder: Path, proof: str, limits: FileLimits = CALM) -> dict[Level, Verdict]:
    async def run() -> dict[Level, Verdict]:
        async with fake_lean(folder, limits) as verifier:
            return {level: (await verifier.check([Candidate(GOAL, proof)], level))[0] for level in Level}

    return asyncio.run(run())


def test_a_proof_is_proved_at_both_levels(tmp_path: Path) -> None:
    for level, verdict in judged(tmp_path, PROOF).items():
        assert (verdict.status, verdict.level, verdict.verifier) == (Status.PROVED, level, "file"), verdict


@pytest.mark.parametrize("fault", ["crash", "signal", "garbage", "unknown", "silent", "grow", "flood"])
def test_what_lean_never_says_is_the_machine_s_failure(tmp_path: Path, fault: str) -> None:
    limits = FileLimits(timeout_s=300, memory_mb=512, max_attempts=1)
    found = judged(tmp_path, with_fault(fault), limits)
    assert {verdict.status for verdict in found.values()} == {Status.INFRA}, found


def test_errors_go_with_exit_status_one(tmp_path: Path) -> None:
    found = judged(tmp_path, "fake_lenient", FileLimits(timeout_s=300, max_attempts=1))
    assert {verdict.status for verdict in found.values()} == {Status.INFRA}, found
    assert {verdict.reason for verdict in judged(tmp_path, "nonsense").values()} == {"error"}


def test_time_is_bounded_and_nothing_is_left_behind(tmp_path: Path) -> None:
    limits = FileLimits(timeout_s=0.5)
    found = judged(tmp_path, with_fault("hang"), limits)
    assert {(verdict.status, verdict.reason) for verdict in found.values()} == {(Status.TIMEOUT, "timeout")}
    before = _sleepers()
    assert judged(tmp_path, with_fault("child"))[Level.FAST].status is Status.PROVED
    deadline = time.monotonic() + 120
    while _sleepers() != before:
        assert time.monotonic() < deadline, "a child of the candidate's process lives on"
        time.sleep(0.05)


def _sleepers() -> int:
    found = 0
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += place.read_bytes() == b"sleep\x0036007\x00" and place.stat().st_uid == os.getuid()
        except OSError:
            continue
    return found


def test_the_benchmark_s_own_text_is_told_from_the_candidate_s(tmp_path: Path) -> None:
    header = Problem("goal", "toy", "test", "open Nowhere\n", GOAL.statement, "goal")
    statement = Problem("goal", "toy", "test", "", "theorem goal : Unheard", "goal")

    async def run() -> list[Verdict]:
        async with fake_lean(tmp_path, FileLimits(timeout_s=300, max_attempts=1)) as verifier:
            items = [Candidate(header, PROOF), Candidate(statement, "trivial")]
            return [verdict for level in Level for verdict in await verifier.check(items, level)]

    for verdict in asyncio.run(run()):
        assert verdict.status is Status.INFRA and "the benchmark's own text" in verdict.detail, verdict


def test_where_lean_is(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"neither a lakefile nor bin/lean"):
        LeanCommand.of_project(str(tmp_path))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "lean").touch(mode=0o755)
    assert LeanCommand.of_project(str(tmp_path)).argv == (str(tmp_path / "bin" / "lean"),)
    (tmp_path / "lakefile.toml").touch()
    assert LeanCommand.of_project(str(tmp_path)) == LeanCommand(("lake", "env", "lean"), tmp_path)


def test_the_section_of_an_experiment(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"lean\.project: file needs one"):
        open_services(LeanSpec(service="file"))
    (tmp_path / "lean").touch(mode=0o755)
    open_services(LeanSpec(service="file", project=str(tmp_path)))


def test_messages_are_read_strictly() -> None:
    line = (
        '{"severity":"warning","pos":{"line":1,"column":8},"endPos":null,"data":"declaration uses `sorry`"}'
    )
    assert len(read_output(line + "\n").sorries) == 1
    assert read_output("").notes == ()
    line_in_data = '{"severity":"error","pos":{"line":1,"column":0},"data":"a\u2028b"}\n'
    assert read_output(line_in_data).notes[0].data == "a\u2028b"
    for text in ("noise\n", "\n", "[]\n", '{"severity":"fine","pos":{"line":1,"column":0},"data":""}\n'):
        with pytest.raises(BadReply):
            read_output(text)
