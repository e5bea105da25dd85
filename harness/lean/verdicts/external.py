"""Stronger judges of a finished proof, where they are installed: leanchecker, SafeVerify, comparator.

A REPL check happens in the process in which the candidate ran. These tools do not trust that process:
leanchecker replays a compiled file through the kernel, SafeVerify also compares it with the statement and
the allowed axioms, comparator does so from a text export of a sandboxed build. They need a Lean project and
are called as programs, found through the variables that `harness.paths` lists, else by name on the path.
The command lines follow the tools' documentation; they are tested against stand-ins and have not been run
against real Lean.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.errors import ServiceDown, ServiceTimeout
from harness.lean import confine
from harness.lean.text.assemble import Assembly
from harness.lean.text.scopes import plain_parts
from harness.lean.verdicts.audit import new_nonce, strict_file
from harness.lean.verdicts.checking import assembled
from harness.lean.verdicts.evidence import ALLOWED_AXIOMS
from harness.protocols import Candidate, Verifier
from harness.types import Level, Status, Verdict

TIERS = {"leanchecker": "olean-replayed", "safeverify": "olean-replayed", "comparator": "comparator"}
"""Tool to the tier of evidence that its acceptance gives; the later one here is the stronger."""

_VARIABLES = {
    "leanchecker": "HARNESS_LEANCHECKER",
    "safeverify": "HARNESS_SAFEVERIFY",
    "comparator": "HARNESS_COMPARATOR",
}
_PROGRAMS = {"leanchecker": "leanchecker", "safeverify": "safe_verify", "comparator": "comparator"}
_KEPT = 2000


@dataclass(frozen=True, slots=True)
class External:
    """One installed tool and the Lean project (a lake package) in which candidates are compiled."""

    name: str
    """One of `TIERS`."""
    path: str
    project: Path
    lake: str = "lake"
    timeout_s: float = 600.0
    """For each of the tool's processes."""
    memory_mb: int = 16384
    """Address space of each process, mapped files included: twice what a REPL has by default."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock, compare=False, repr=False)
    """comparator builds modules of its project, so one check at a time may write them."""

    @property
    def label(self) -> str:
        """Name, path and age of the program: a verdict of another build of it is not the same verdict."""
        program = Path(self.path)
        return f"{self.name}={self.path}@{program.stat().st_mtime_ns if program.exists() else 0}"


@dataclass(frozen=True, slots=True)
class ToolExit:
    """What a process left: exit status and the end of its output."""

    code: int
    output: str


def installed_tools(
    environ: Mapping[str, str], project: Path | None, memory_mb: int = 16384
) -> list[External]:
    """The tools that are there, weakest first; none without a project. `memory_mb` is for each process."""
    if project is None:
        return []
    found, lake = [], environ.get("HARNESS_LAKE", "lake")
    for name, variable in _VARIABLES.items():
        path = environ.get(variable) or shutil.which(_PROGRAMS[name], path=environ.get("PATH"))
        if path:
            found.append(External(name, path, project, lake, memory_mb=memory_mb))
    return found


async def strengthen(verdict: Verdict, assembly: Assembly, tools: Sequence[External]) -> Verdict:
    """`verdict` after every tool had its say.

    A strict PROVED keeps its status and takes the tier of the last tool that accepted it; it becomes REJECTED
    when a tool refuses it and INFRA when a tool fails. A text that the screen refused is handed to comparator
    alone, which builds it in a sandbox. Any other verdict stays as it is.

    Where the tools refuse the answer's first reading, the other one is put to them.
    """
    found = await _one_reading(verdict, assembly, tools)
    if verdict.status is Status.PROVED and found.status is Status.REJECTED and assembly.other is not None:
        return await _one_reading(verdict, assembly.other, tools)
    return found


async def _one_reading(verdict: Verdict, assembly: Assembly, tools: Sequence[External]) -> Verdict:
    if verdict.status is Status.PROVED and verdict.level is Level.STRICT:
        asked = list(tools)
    elif verdict.reason == "refused" and assembly.name:
        asked = [tool for tool in tools if tool.name == "comparator"]
    else:
        return verdict
    for tool in asked:
        reading = _reading_for(tool, assembly)
        if reading is None:
            detail = f"{tool.name} looks for {assembly.stated_name}; the answer proves it as {assembly.name}"
            return replace(verdict, status=Status.INFRA, reason="declined", detail=detail)
        try:
            finished = await judge(tool, reading)
        except (ServiceDown, ServiceTimeout) as cause:
            return replace(verdict, status=Status.INFRA, reason="service", detail=f"{tool.name}: {cause}")
        detail = f"{tool.name}: {finished.output.strip()[-500:]}"
        if finished.code == 1:
            return replace(
                verdict, status=Status.REJECTED, reason="error", detail=detail, tier=TIERS[tool.name]
            )
        if finished.code != 0:
            detail = f"{tool.name} ended with status {finished.code}: {finished.output.strip()[-500:]}"
            return replace(verdict, status=Status.INFRA, reason="service", detail=detail)
        verdict = replace(verdict, status=Status.PROVED, reason="ok", detail="", tier=TIERS[tool.name])
    return verdict


def _reading_for(tool: External, assembly: Assembly) -> Assembly | None:
    """The reading in which `tool` finds the theorem: most look for the benchmark's own name."""
    if tool.name == "leanchecker":
        return assembly
    wanted, readings = plain_parts(assembly.stated_name), (assembly, assembly.other)
    return next((each for each in readings if each and plain_parts(each.name) == wanted), None)


class Strengthened:
    """A verifier whose strict verdicts also pass through external tools, one candidate after the other."""

    def __init__(self, inner: Verifier, tools: Sequence[External], heartbeats: int = 200_000) -> None:
        self._inner = inner
        self._tools = tuple(tools)
        self._heartbeats = heartbeats
        self._turns = asyncio.Lock()

    async def check(self, candidates: Sequence[Candidate], level: Level) -> list[Verdict]:
        """One verdict per candidate, in order. The fast level is the inner verifier's alone."""
        verdicts = await self._inner.check(candidates, level)
        if level is Level.FAST or not self._tools:
            return verdicts
        async with self._turns:
            return [
                await strengthen(verdict, assembled(item, self._heartbeats), self._tools)
                for item, verdict in zip(candidates, verdicts, strict=True)
            ]

    async def close(self) -> None:
        """Stop the inner verifier."""
        await self._inner.close()


async def judge(tool: External, assembly: Assembly) -> ToolExit:
    """Exit status and output of `tool` on the candidate: 0 accepts, 1 refuses, anything else is its failure.

    Raises `ServiceDown` when a program cannot be started or runs out of memory, and `ServiceTimeout` when
    one does not end in time.
    """
    with tempfile.TemporaryDirectory(prefix="harness-external-") as made:
        folder = Path(made)
        if tool.name == "comparator":
            return await _comparator(tool, assembly, folder)
        # leanchecker compares no statements: it is given the audit's file, whose own theorem does.
        audited = tool.name == "leanchecker"
        text = strict_file(assembly, new_nonce()).text if audited else assembly.text
        submission = await _compiled(tool, folder, "Submission", text)
        if isinstance(submission, ToolExit):
            return submission
        if tool.name == "leanchecker":
            path = await _lean_path(tool, folder)
            return await run([tool.path, "Submission"], tool, folder, {"LEAN_PATH": path})
        target = await _compiled(tool, folder, "Target", stated_text(assembly))
        if isinstance(target, ToolExit):
            # The benchmark's own statement does not compile: that is not the candidate's fault.
            return ToolExit(2, target.output)
        argv = [tool.lake, "env", tool.path, str(target), str(submission)]
        return await run(argv, tool, tool.project)


def stated_text(assembly: Assembly) -> str:
    """The file that states the theorem with a sorry, under its own name."""
    return assembly.header + assembly.holes + assembly.target + "\n"


def comparator_config(assembly: Assembly) -> dict[str, object]:
    """What comparator is told: which modules, which theorem, which axioms."""
    return {
        "challenge_module": "Challenge",
        "solution_module": "Solution",
        "theorem_names": [assembly.stated_name],
        "permitted_axioms": sorted(ALLOWED_AXIOMS),
    }


async def run(
    argv: Sequence[str], tool: External, cwd: Path, extra: Mapping[str, str] | None = None
) -> ToolExit:
    """Run one program within the tool's bounds; its output follows its errors. Raises as `confine.run`."""
    done = await confine.run(argv, confine.Bounds(tool.timeout_s, tool.memory_mb), cwd, extra)
    return ToolExit(done.code, (done.errors + done.output)[-_KEPT:])


async def _compiled(tool: External, folder: Path, module: str, text: str) -> Path | ToolExit:
    """The .olean of `text`, or what the compiler said when it refused (as a refusal by the tool)."""
    source, olean = folder / f"{module}.lean", folder / f"{module}.olean"
    source.write_text(text, encoding="utf-8")
    finished = await run([tool.lake, "env", "lean", "-o", str(olean), str(source)], tool, tool.project)
    return olean if finished.code == 0 and olean.exists() else replace(finished, code=finished.code or 2)


async def _lean_path(tool: External, folder: Path) -> str:
    finished = await run([tool.lake, "env", "printenv", "LEAN_PATH"], tool, tool.project)
    return os.pathsep.join([str(folder), *finished.output.split()[-1:]])


async def _comparator(tool: External, assembly: Assembly, folder: Path) -> ToolExit:
    config = folder / "config.json"
    config.write_text(json.dumps(comparator_config(assembly)), encoding="utf-8")
    async with tool.turn:
        (tool.project / "Challenge.lean").write_text(stated_text(assembly), encoding="utf-8")
        (tool.project / "Solution.lean").write_text(assembly.text, encoding="utf-8")
        return await run([tool.lake, "env", tool.path, str(config)], tool, tool.project)
