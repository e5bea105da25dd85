"""Verdicts from real Lean through the service `file`: the shared cases and the museum."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest

from harness import cli
from harness.audits.museum import NEEDS, museum_folder, museum_summary, museum_table, read_museum, run_museum
from harness.commands import peers
from harness.lean.services.opening import open_services
from harness.protocols import Candidate, Verifier
from harness.spec import LeanSpec
from harness.types import Level, Problem, Status, Verdict
from tests.lean.services.test_conformance import Opened, assert_expected, verdicts
from tests.real_lean.build import RealLean
from tests.real_lean.conftest import Figures
from tests.shares import of_the_museum
from tests.test_cli import SMOKE, record, stored

pytestmark = pytest.mark.real_lean

WORKERS = 2

Judge = Literal["text", "compiled"]
JUDGES: tuple[Judge, ...] = ("text", "compiled")
TIERS = {"text": "repl-checked", "compiled": "second-kernel"}
DECLINED = {"ok-hole-supplied"}
"""The compiled file says nothing of an answer that the candidate supplies."""

MATHLIB = {"ok-two-helpers": "`lemma` is a command of Mathlib"}
"""Honest exhibits that the core judges and a Lean without Mathlib cannot, beside those said to need it."""


def plain_lean(real_lean: RealLean, judge: Judge = "text") -> Callable[[], Opened]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Verifier]:
        spec = LeanSpec(service="file", project=str(real_lean.home), workers=WORKERS, judge=judge)
        verifier = open_services(spec).verifier
        try:
            yield verifier
        finally:
            await verifier.close()

    return opened


def test_conformance(real_lean: RealLean) -> None:
    for level, found in verdicts(plain_lean(real_lean), goes_on=True).items():
        assert_expected(found)
        assert {(verdict.level, verdict.tier) for verdict in found if verdict.reason == "ok"} == {
            (level, "repl-checked")
        }


@pytest.mark.parametrize("judge", JUDGES)
def test_the_museum(judge: Judge, real_lean: RealLean, figures: Figures, in_full: bool) -> None:
    """Cheats that need Mathlib are shown too: without it they must fail all the more.

    At the fast level both judges ask the same, so compiled files are left to the strict one.
    """
    everything = read_museum(museum_folder())
    exhibits = [
        exhibit
        for exhibit in (everything if in_full else of_the_museum(everything))
        if not (exhibit.honest and (exhibit.needs == "lean" or exhibit.name in MATHLIB))
    ]
    levels = list(Level) if in_full or judge == "text" else [Level.STRICT]
    started = time.perf_counter()

    async def show():  # type: ignore[no-untyped-def]
        async with plain_lean(real_lean, judge)() as verifier:
            return await run_museum(verifier, exhibits, reach=NEEDS[-1], levels=levels)

    rows = asyncio.run(show())
    counts = museum_summary(rows)
    figures.add(
        f"museum, judged by {judge}, {' and '.join(levels)}: {counts['attacks']} attacks shown, "
        f"{counts['attacks_accepted']} accepted; {counts['honest']} honest proofs shown, "
        f"{counts['honest_rejected']} rejected, {counts['unscored']} declined; "
        f"{time.perf_counter() - started:.0f} s"
    )
    declined = {row.exhibit.name for row in rows if row.verdict.reason == "declined"}
    wrong = "\n".join(line for line in museum_table(rows) if " NO: " in line)
    assert counts["attacks_accepted"] == counts["honest_rejected"] == 0, wrong
    assert declined == (DECLINED if judge == "compiled" else set()), wrong
    assert counts["unexpected"] == counts["unscored"] == len(declined), wrong
    assert {row.level for row in rows} == set(levels)


@pytest.mark.parametrize("judge", JUDGES)
def test_a_run_of_the_core_is_judged_by_real_lean_and_ranked_apart(
    judge: Judge, real_lean: RealLean, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored(tmp_path, "a.search-0", [record(problem) for problem in SMOKE])

    def told(*argv: object) -> str:
        status = cli.main([*map(str, argv), "--runs", str(tmp_path)])
        assert status == 0
        return capsys.readouterr().out

    home = ("--project", real_lean.home, "--judge", judge)
    out = told("recheck", "a.search-0", "--lean", "file", *home, "--keep", "--json", "--plain")
    assert json.loads(out)["changed"] == []
    sections = json.loads(told("leaderboard", "--json"))["sections"]
    assert TIERS[judge] in {section["tier"] for section in sections}, sections


LAKE = """#!/bin/sh
[ "$1" = env ] && shift
LEAN_PATH="{project}/.lake/build/lib/lean" exec "$@"
"""


def test_a_project_behind_its_repl(
    real_lean: RealLean, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As far as a project can exist here: a stand-in for `lake`, the core as REPL, real Lean and modules."""
    built = tmp_path / ".lake" / "build" / "lib" / "lean"
    built.mkdir(parents=True)
    (tmp_path / "lakefile.toml").write_text('name = "own"\n')
    (tmp_path / "Own.lean").write_text("theorem own_swap (a b : Nat) : a + b = b + a := Nat.add_comm a b\n")
    lean = [str(real_lean.lean), "-R", str(tmp_path), "-o", str(built / "Own.olean")]
    subprocess.run([*lean, str(tmp_path / "Own.lean")], check=True, timeout=120)
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, text in {
        "lake": LAKE.format(project=tmp_path),
        "lean": f'#!/bin/sh\nexec "{real_lean.lean}" "$@"\n',
        "repl": f'#!/bin/sh\nexec "{sys.executable}" -m harness.lean.core\n',
    }.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    assert cli.main(["validate", "--library", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["accepted"] == 1

    problem = Problem("t", "b", "test", "import Own\n\n", "theorem t (a b : Nat) : a + b = b + a", "t")
    own = "theorem own_swap (a b : Nat) : a + b = b + a := Nat.add_comm a b\n\n"

    async def judged() -> list[Verdict]:
        spec = LeanSpec(service="repl", project=str(tmp_path), judge="compiled")
        verifier = open_services(spec).verifier
        try:
            answers = ["Nat.add_comm a b", f"{own}{problem.statement} := own_swap a b", "Nat.add_comm b a"]
            return await verifier.check([Candidate(problem, answer) for answer in answers], Level.STRICT)
        finally:
            await verifier.close()

    proved, declared_again, wrong = asyncio.run(judged())
    assert (proved.status, proved.tier, proved.verifier) == (Status.PROVED, "second-kernel", "repl")
    # The core behind the REPL knows no `Own`; the compiler of the project does.
    assert (declared_again.status, declared_again.reason) == (Status.REJECTED, "error")
    assert "own_swap" in declared_again.detail
    assert (wrong.status, wrong.tier) == (Status.REJECTED, "repl-checked")


def test_what_rules_of_other_harnesses_take(
    real_lean: RealLean,
    figures: Figures,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    in_full: bool,
) -> None:
    if not in_full:
        monkeypatch.setattr(peers, "read_museum", lambda folder: of_the_museum(read_museum(folder)))
    home = ["--lean", "file", "--project", str(real_lean.home), "--workers", str(WORKERS)]
    status = cli.main(["validate", "--attacks", "--peers", *home, "--json", "--plain"])
    found = json.loads(capsys.readouterr().out)
    taken = {name: len(rule["taken"]) for name, rule in found["rules"].items()}
    figures.add(f"of {found['compiled']} cheats that Lean compiles, taken by: {taken}")
    assert status == 0
    assert taken["this project"] == 0
    assert taken["Kimina, analyze"] > 10 and taken["CoProver, evaluate"] > 10
