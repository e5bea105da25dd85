"""One REPL process: faults are told from answers, cost one process, and never outlast their deadline."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from harness.errors import BadReply, InfraError, ServiceDown, ServiceTimeout, UserError
from harness.lean.services.repl import Program, ReplProcess

FAKE = str(Path(__file__).with_name("fake_repl.py"))
LIMIT_S = 60.0
"""Only a process that hangs needs as long."""


def fake(*options: str, memory_mb: int = 1024) -> Program:
    return Program((sys.executable, FAKE, *options), None, memory_mb)


def with_process(program: Program, use: Callable[[ReplProcess], Awaitable[None]]) -> None:
    async def run() -> None:
        process = await ReplProcess.start(program)
        try:
            await use(process)
        finally:
            await process.close()
        assert process._process.returncode is not None

    asyncio.run(run())


def expect(
    fault: str, error: type[InfraError], *options: str, limit_s: float = LIMIT_S, memory_mb: int = 1024
) -> None:
    async def use(process: ReplProcess) -> None:
        with pytest.raises(error):
            await process.ask({"cmd": f"def a := 1 FAULT_{fault}"}, limit_s)
        assert not process.alive

    with_process(fake(*options, memory_mb=memory_mb), use)


def test_answers_come_back_typed_and_in_order() -> None:
    async def use(process: ReplProcess) -> None:
        first = await process.ask({"cmd": "def a := 1"}, LIMIT_S)
        second = await process.ask({"cmd": "def ü := BAD\n", "env": first.env}, LIMIT_S)
        assert (first.env, first.notes, second.env) == (0, (), 1)
        assert second.errors[0].place.column == 9
        await process.resync(0, LIMIT_S)
        assert process.alive

    with_process(fake(), use)


def test_long_lines_and_a_flooded_stderr_are_no_faults() -> None:
    async def use(process: ReplProcess) -> None:
        reply = await process.ask({"cmd": "def a := 1 FAULT_long FAULT_stderr"}, LIMIT_S)
        assert len(reply.notes[0].data) == 200_000
        assert len(process.stderr_tail) <= 4096
        await process.resync(0, LIMIT_S)

    with_process(fake("--stderr-kb", "300"), use)


def test_a_dead_process_is_down_and_says_its_last_words() -> None:
    async def use(process: ReplProcess) -> None:
        with pytest.raises(ServiceDown, match="out of luck"):
            await process.ask({"cmd": "FAULT_die"}, LIMIT_S)
        with pytest.raises(ServiceDown):
            await process.ask({"cmd": "def a := 1"}, LIMIT_S)

    with_process(fake(), use)


def test_hanging_ends_at_the_deadline() -> None:
    expect("hang", ServiceTimeout, limit_s=0.4)


@pytest.mark.parametrize("fault", ["garbage", "truncated", "late_block"])
def test_what_is_no_answer_is_a_bad_reply(fault: str) -> None:
    expect(fault, BadReply)


def test_growing_memory_ends_the_process_only() -> None:
    expect("grow", ServiceDown, memory_mb=256)


def test_a_planted_answer_is_found_out() -> None:
    # The planted block and the true one may arrive together (seen at once) or apart (seen by the resync).
    async def use(process: ReplProcess) -> None:
        with pytest.raises(BadReply):
            await process.ask({"cmd": "theorem t : False := BAD FAULT_blocks"}, LIMIT_S)
            await process.resync(0, LIMIT_S)
        assert not process.alive

    with_process(fake(), use)


def test_a_cancelled_question_is_never_answered_to_somebody_else() -> None:
    async def use(process: ReplProcess) -> None:
        asking = asyncio.create_task(process.ask({"cmd": "FAULT_hang"}, 60))
        await asyncio.sleep(0.2)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert not process.alive

    with_process(fake(), use)


def test_keys_do_not_reach_the_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LEAN_SERVER_API_KEY", "secret")
    program = tmp_path / "env.py"
    program.write_text(
        "import json, os\ninput(); input()\n"
        "print(json.dumps({'message': ' '.join(sorted(os.environ))}), end='\\n\\n', flush=True)\ninput()\n"
    )

    async def use(process: ReplProcess) -> None:
        seen = (await process.ask({"cmd": ""}, LIMIT_S)).failure or ""
        assert "PATH" in seen and "KEY" not in seen

    with_process(Program((sys.executable, str(program))), use)


def test_limits_are_set() -> None:
    async def use(process: ReplProcess) -> None:
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        assert str(512 << 20) in next(line for line in limits.splitlines() if "address space" in line)
        assert " 0 " in next(line for line in limits.splitlines() if "core file" in line)
        assert os.getpgid(process.pid) == process.pid
        own = process.own_mb()
        assert own is not None and 0 < own < 512

    if not Path("/proc/self/limits").exists():
        pytest.skip("no /proc here")
    with_process(fake(memory_mb=512), use)


def test_programs_that_cannot_be_run() -> None:
    with pytest.raises(ServiceDown, match="cannot start"):
        asyncio.run(ReplProcess.start(Program(("/nonexistent/repl",))))
    with pytest.raises(UserError, match="lakefile"):
        Program.of_project("/nonexistent")
