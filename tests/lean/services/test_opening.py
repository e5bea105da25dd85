"""From the `lean:` section of an experiment to services."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import Literal

import pytest

from harness.errors import UserError
from harness.lean.services.opening import (
    open_services,
    program_of,
    verifier_version,
)
from harness.paths import VARIABLES
from harness.protocols import Candidate
from harness.spec import LeanSpec
from harness.types import Level, Problem, Status, Step

PROBLEM = Problem("t", "toy", "test", "", "theorem t (P Q : Prop) (h : P ∧ Q) : Q ∧ P", "t")
PROOF = "by\n  constructor\n  · exact h.2\n  · exact h.1"


@pytest.mark.parametrize("service", ["core", "repl"])
def test_a_proof_is_found_by_steps_and_checked_as_a_whole(service: str, tmp_path: Path) -> None:
    async def run() -> None:
        services = open_services(LeanSpec(service=service, memory_mb=2048), tmp_path)  # type: ignore[arg-type]
        assert services.sessions is not None
        session = await services.sessions.open(PROBLEM)
        state = await session.start()
        for tactic in ("constructor", "exact h.2"):
            result = await session.apply(state, tactic)
            assert result.outcome is Step.OPEN and result.state is not None, result.message
            state = result.state
        assert len(state.goals) == 1 and state.goals[0].endswith("⊢ P")
        assert (await session.apply(state, "exact h.2")).outcome is Step.INVALID
        assert (await session.apply(state, "sorry")).outcome is Step.INVALID
        assert (await session.apply(state, "exact h.1")).outcome is Step.DONE
        await session.close()
        for level in Level:
            (verdict,) = await services.verifier.check([Candidate(PROBLEM, PROOF)], level)
            assert verdict.status is Status.PROVED and verdict.level is level, verdict
        await services.close()

    asyncio.run(run())
    assert len(list(tmp_path.rglob("*.json"))) == 2


def test_the_step_limit_is_reached_by_count_not_by_clock() -> None:
    statement = f"theorem t (P : Prop) (h : P) : {' ∧ '.join(['P'] * 30)}"
    tactic = "repeat first | exact h | constructor"

    async def run(heartbeats: int) -> tuple[Status, Status, Step]:
        services = open_services(LeanSpec(service="core", heartbeats=heartbeats))
        problem = Problem("t", "toy", "test", "", statement, "t")
        candidate = Candidate(problem, f"by {tactic}")
        fast, strict = [(await services.verifier.check([candidate], level))[0].status for level in Level]
        assert services.sessions is not None
        session = await services.sessions.open(problem)
        step = await session.apply(await session.start(), tactic)
        await services.close()
        return fast, strict, step.outcome

    assert asyncio.run(run(100)) == (Status.REJECTED, Status.REJECTED, Step.TIMEOUT)
    assert asyncio.run(run(10_000)) == (Status.PROVED, Status.PROVED, Step.DONE)


def test_sections_that_do_not_fit_together() -> None:
    with pytest.raises(UserError, match=r"lean\.urls"):
        open_services(LeanSpec(service="kimina"))
    with pytest.raises(UserError, match=r"lean\.project"):
        open_services(LeanSpec(service="repl", project="/nonexistent"))


def test_a_project_runs_its_own_repl(tmp_path: Path) -> None:
    (tmp_path / "lakefile.toml").write_text("")
    program = program_of(LeanSpec(service="repl", project=str(tmp_path)))
    assert program.argv == ("lake", "env", "repl") and program.cwd == tmp_path
    built = tmp_path / ".lake" / "packages" / "REPL" / ".lake" / "build" / "bin" / "repl"
    built.parent.mkdir(parents=True)
    built.write_text("")
    assert program_of(LeanSpec(service="repl", project=str(tmp_path))).argv == ("lake", "env", str(built))


@pytest.mark.parametrize("service", ["repl", "file"])
def test_a_project_without_lake_is_told_at_once(
    service: Literal["repl", "file"], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lakefile.toml").write_text("")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="lake is not on the PATH"):
        open_services(LeanSpec(service=service, project=str(tmp_path)))


def test_an_installed_lean_interact_lends_its_repl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package, project = tmp_path / "lean_interact", tmp_path / "project"
    project.mkdir()
    (project / "lakefile.toml").write_text("")
    (project / "lean-toolchain").write_text("leanprover/lean4:v4.9.0\n")
    assert program_of(LeanSpec(service="repl", project=str(project))).argv[-1] == "repl"
    with pytest.raises(UserError, match="has built no REPL"):
        program_of(LeanSpec(service="repl", project="lean-interact"))
    for version in ("v4.9.0", "v4.15.0"):
        folder = package / "cache" / "augustepoiroux" / "repl" / f"repl_v1_{version}"
        (folder / ".lake" / "build" / "bin").mkdir(parents=True)
        (folder / ".lake" / "build" / "bin" / "repl").write_text("")
        (folder / "lean-toolchain").write_text(f"leanprover/lean4:{version}\n")
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    program = program_of(LeanSpec(service="repl", project=str(project)))
    assert "v4.9.0" in program.argv[-1] and program.cwd == project
    newest = program_of(LeanSpec(service="repl", project="lean-interact"))
    assert newest.cwd is not None and str(newest.cwd) in newest.argv[-1]


LAKE = """#!/bin/sh
[ "$1" = env ] && shift
case "$1" in
repl) exec "{python}" -m harness.lean.core;;
lean) grep -q "maxHeartbeats 300000" "$4" || exit 1; env > env; cp "$4" "$3";;
*) exec "$@";;
esac
"""


def program(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(("ends", "status"), [(0, Status.PROVED), (1, Status.REJECTED)])
def test_installed_judges_have_the_last_word_on_strict_verdicts(
    ends: int, status: Status, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "lakefile.toml").write_text("")
    lake = program(tmp_path / "lake", LAKE.format(python=sys.executable))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("WANDB_API_KEY", "a-key")
    spec = LeanSpec(service="repl", project=str(project), memory_mb=2048, heartbeats=300_000)

    async def tiers() -> list[tuple[Status, str]]:
        verifier = open_services(spec, tmp_path / "cache").verifier
        verdicts = [(await verifier.check([Candidate(PROBLEM, PROOF)], level))[0] for level in Level]
        await verifier.close()
        return [(verdict.status, verdict.tier) for verdict in verdicts]

    plain = [(Status.PROVED, "repl-checked")] * 2
    assert asyncio.run(tiers()) == plain
    monkeypatch.setenv("HARNESS_LAKE", lake)
    monkeypatch.setenv("HARNESS_SAFEVERIFY", program(tmp_path / "verify", f"#!/bin/sh\nexit {ends}\n"))
    assert asyncio.run(tiers()) == [plain[0], (status, "olean-replayed")]
    assert "a-key" not in (project / "env").read_text()


def test_every_environment_variable_of_ours_is_listed() -> None:
    root = Path(__file__).parents[3]
    sources = [path for room in ("harness", "trainers", "tests") for path in (root / room).rglob("*.py")]
    text = "".join(path.read_text(encoding="utf-8") for path in sources if path.name != "variables.py")
    named = set(re.findall(r"HARNESS_[A-Z_]*[A-Z]", text))
    listed = {name for name in VARIABLES if name.startswith("HARNESS_")}
    assert named <= listed and all(name in text for name in VARIABLES)


def test_the_version_is_a_hash_of_the_code_that_judges() -> None:
    assert len(verifier_version()) == 16 and verifier_version() == verifier_version()
