"""The hooks for leanchecker, SafeVerify and comparator, against programs that stand in for them.

No real Lean is run here: the stand-ins record how they were called and answer as told.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness.lean.text.assemble import assemble
from harness.lean.verdicts.evidence import refusal
from harness.lean.verdicts.external import (
    External,
    Strengthened,
    installed_tools,
    judge,
    stated_text,
    strengthen,
)
from harness.protocols import Candidate
from harness.types import Level, Problem, Status, Verdict

PROBLEM = Problem("p", "toy", "test", "import Mathlib\n\n", "theorem p : 1 = 1", "p")
GOOD = assemble(PROBLEM, "rfl")
PROVED = Verdict(Status.PROVED, "ok", level=Level.STRICT, tier="repl-checked")

LAKE = """#!/bin/sh
[ "$1" = env ] && shift
[ "$1" = printenv ] && { echo /project/lib; exit 0; }
if [ "$1" = lean ]; then
  grep -q BROKEN "$4" && { echo "error: broken"; exit 1; }
  cp "$4" "$3"; exit 0
fi
exec "$@"
"""


def program(folder: Path, name: str, body: str) -> str:
    path = folder / name
    path.write_text(body if body.startswith("#!") else f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    program(tmp_path, "lake", LAKE)
    return tmp_path


def tool(project: Path, name: str, body: str, timeout_s: float = 120.0) -> External:
    return External(name, program(project, f"fake_{name}", body), project, str(project / "lake"), timeout_s)


def strengthened(verdict: Verdict, tools: list[External], answer: str = "rfl") -> Verdict:
    return asyncio.run(strengthen(verdict, assemble(PROBLEM, answer), tools))


def test_acceptance_raises_the_tier(project: Path) -> None:
    checker, verify = tool(project, "leanchecker", "exit 0"), tool(project, "safeverify", "exit 0")
    comparator = tool(project, "comparator", "exit 0")
    assert strengthened(PROVED, []).tier == "repl-checked"
    assert strengthened(PROVED, [checker]).tier == "olean-replayed"
    last = strengthened(PROVED, [checker, verify, comparator])
    assert (last.status, last.tier) == (Status.PROVED, "comparator")


def test_a_refusal_rejects_and_a_failure_is_the_machines(project: Path) -> None:
    refused = strengthened(PROVED, [tool(project, "safeverify", "echo 'type mismatch'; exit 1")])
    assert (refused.status, refused.reason, refused.tier) == (Status.REJECTED, "error", "olean-replayed")
    assert "type mismatch" in refused.detail
    for body in ("exit 2", "kill -9 $$", "echo 'INTERNAL PANIC: out of memory'; exit 1"):
        assert strengthened(PROVED, [tool(project, "safeverify", body)]).status is Status.INFRA
    missing = External("leanchecker", str(project / "absent"), project, str(project / "lake"))
    assert strengthened(PROVED, [missing]).status is Status.INFRA


def test_a_tool_may_use_so_much_memory(project: Path) -> None:
    log = project / "log"
    checker = replace(tool(project, "safeverify", f"sleep 0.3; ulimit -v > {log}"), memory_mb=2048)
    asyncio.run(judge(checker, GOOD))
    assert int(log.read_text()) == 2048 * 1024


def test_what_each_tool_is_called_with(project: Path) -> None:
    log = project / "log"
    checker = tool(project, "leanchecker", f'echo "$LEAN_PATH|$1" > {log}; ls > /dev/null')
    asyncio.run(judge(checker, GOOD))
    path, module = log.read_text().strip().split("|")
    assert module == "Submission"
    assert path.endswith(os.pathsep + "/project/lib")
    verify = tool(project, "safeverify", f"cat $1 > {log}; echo ---- >> {log}; cat $2 >> {log}")
    asyncio.run(judge(verify, GOOD))
    assert log.read_text() == stated_text(GOOD) + "----\n" + GOOD.text
    comparator = tool(project, "comparator", f"cat $1 > {log}; cat Challenge.lean Solution.lean >> {log}")
    asyncio.run(judge(comparator, GOOD))
    config, _, rest = log.read_text().partition("}")
    assert json.loads(config + "}")["theorem_names"] == ["p"]
    assert rest == stated_text(GOOD) + GOOD.text


@pytest.mark.parametrize("name", ["safeverify", "comparator"])
@pytest.mark.parametrize("end", ["", "\nend Own\n"])
def test_a_theorem_in_a_namespace_of_its_own_is_found_by_its_own_name(
    project: Path, name: str, end: str
) -> None:
    answer = "namespace Own\n\ntheorem p : 1 = 1 := rfl\n" + end
    shown = "$2" if name == "safeverify" else "Solution.lean"
    looks = tool(project, name, f"cd {project}; grep -q 'theorem _root_.p : 1 = 1' {shown}")
    found = strengthened(PROVED, [looks], answer)
    assert (found.status, found.reason) == (Status.PROVED, "ok"), found


def test_a_text_that_does_not_compile_alone_is_rejected(project: Path) -> None:
    found = strengthened(PROVED, [tool(project, "safeverify", "exit 0")], "rfl BROKEN")
    assert (found.status, found.reason) == (Status.REJECTED, "error")


def test_a_statement_that_does_not_compile_is_not_the_candidates_fault(project: Path) -> None:
    problem = Problem("p", "toy", "test", "import Mathlib\n\n", "theorem p : BROKEN", "p")
    verify = tool(project, "safeverify", "exit 0")
    lake = (project / "lake").read_text().replace("grep -q BROKEN", 'grep -q "BROKEN := by sorry"')
    program(project, "lake", lake)
    found = asyncio.run(strengthen(PROVED, assemble(problem, "rfl"), [verify]))
    assert found.status is Status.INFRA


def test_only_comparator_sees_text_that_the_screen_refused(project: Path) -> None:
    assembly = assemble(PROBLEM, 'macro "x" : tactic => `(tactic| rfl)\n\ntheorem p : 1 = 1 := by x\n')
    refused = refusal(assembly, Level.STRICT)
    assert refused is not None
    unsafe = tool(project, "safeverify", f"touch {project}/called")
    sandboxed = tool(project, "comparator", "exit 0")
    assert asyncio.run(strengthen(refused, assembly, [unsafe])) == refused
    assert not (project / "called").exists()
    accepted = asyncio.run(strengthen(refused, assembly, [unsafe, sandboxed]))
    assert (accepted.status, accepted.tier) == (Status.PROVED, "comparator")


def test_other_verdicts_are_left_alone(project: Path) -> None:
    body = f"touch {project}/called"
    for verdict in (
        Verdict(Status.REJECTED, "error", level=Level.STRICT),
        Verdict(Status.PROVED, "ok", level=Level.FAST),
        Verdict(Status.TIMEOUT, "timeout", level=Level.STRICT),
    ):
        assert strengthened(verdict, [tool(project, "comparator", body)]) == verdict
    assert not (project / "called").exists()


def test_a_verifier_with_tools_asks_them_at_the_strict_level_only(project: Path) -> None:
    class Inner:
        closed = False

        async def check(self, candidates: Sequence[Candidate], level: Level) -> list[Verdict]:
            return [replace(PROVED, level=level) for _ in candidates]

        async def close(self) -> None:
            self.closed = True

    async def tiers(level: Level) -> list[str]:
        inner = Inner()
        verifier = Strengthened(inner, [tool(project, "safeverify", "exit 0")])
        verdicts = await verifier.check([Candidate(PROBLEM, "rfl"), Candidate(PROBLEM, "rfl")], level)
        await verifier.close()
        assert inner.closed
        return [verdict.tier for verdict in verdicts]

    assert asyncio.run(tiers(Level.STRICT)) == ["olean-replayed"] * 2
    assert asyncio.run(tiers(Level.FAST)) == ["repl-checked"] * 2


def test_a_tool_that_hangs_is_ended_with_what_it_started(project: Path) -> None:
    pids = project / "pids"
    body = f"sleep 36000 & echo $! > {pids}; echo $$ >> {pids}; wait"
    found = strengthened(PROVED, [tool(project, "safeverify", body, timeout_s=2.0)])
    assert found.status is Status.INFRA
    assert "2 s" in found.detail
    # A killed process dies when it is next scheduled; these would sleep for ten hours.
    end = time.monotonic() + 120
    while any(map(alive, pids.read_text().split())):
        assert time.monotonic() < end, "what it started lives on"
        time.sleep(0.05)


def alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_tools_are_found_by_variable_and_on_the_path(project: Path) -> None:
    program(project, "safe_verify", "exit 0")
    environ = {"PATH": str(project), "HARNESS_COMPARATOR": "/opt/comparator"}
    found = installed_tools(environ, project)
    assert [(item.name, item.path) for item in found] == [
        ("safeverify", str(project / "safe_verify")),
        ("comparator", "/opt/comparator"),
    ]
    assert installed_tools(environ, None) == []
