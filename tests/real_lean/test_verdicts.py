"""Verdicts from real Lean through the service `file`: the shared cases and the museum."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from harness import cli
from harness.audits.museum import NEEDS, museum_folder, museum_summary, museum_table, read_museum, run_museum
from harness.lean.services.opening import open_verifier
from harness.protocols import Verifier
from harness.spec import LeanSpec
from harness.types import Level
from tests.lean.services.test_conformance import Opened, assert_expected, verdicts
from tests.real_lean.build import RealLean
from tests.real_lean.conftest import Figures
from tests.test_cli import SMOKE, record, stored

pytestmark = pytest.mark.real_lean

WORKERS = 2

MATHLIB = {"ok-two-helpers": "`lemma` is a command of Mathlib"}
"""Honest exhibits that the core judges and a Lean without Mathlib cannot, beside those said to need it."""


def plain_lean(real_lean: RealLean) -> Callable[[], Opened]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Verifier]:
        spec = LeanSpec(service="file", project=str(real_lean.home), workers=WORKERS)
        verifier = open_verifier(spec)
        try:
            yield verifier
        finally:
            await verifier.close()

    return opened


def test_conformance(real_lean: RealLean) -> None:
    for level, found in verdicts(plain_lean(real_lean)).items():
        assert_expected(found)
        assert {(verdict.level, verdict.tier) for verdict in found if verdict.reason == "ok"} == {
            (level, "repl-checked")
        }


def test_the_museum(real_lean: RealLean, figures: Figures) -> None:
    """Every cheat is shown, those that need Mathlib too: without it they must fail all the more."""
    exhibits = [
        exhibit
        for exhibit in read_museum(museum_folder())
        if not (exhibit.honest and (exhibit.needs == "lean" or exhibit.name in MATHLIB))
    ]
    started = time.perf_counter()

    async def show():  # type: ignore[no-untyped-def]
        async with plain_lean(real_lean)() as verifier:
            return await run_museum(verifier, exhibits, reach=NEEDS[-1])

    rows = asyncio.run(show())
    counts = museum_summary(rows)
    figures.add(
        f"museum, both levels: {counts['attacks']} attacks shown, {counts['attacks_accepted']} accepted; "
        f"{counts['honest']} honest proofs shown, {counts['honest_rejected']} rejected; "
        f"{time.perf_counter() - started:.0f} s"
    )
    wrong = "\n".join(line for line in museum_table(rows) if " NO: " in line)
    assert counts["attacks_accepted"] == counts["honest_rejected"] == counts["unexpected"] == 0, wrong
    assert {row.level for row in rows} == set(Level)


def test_a_run_of_the_core_is_judged_by_real_lean_and_ranked_apart(
    real_lean: RealLean, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored(tmp_path, "a.search-0", [record(problem) for problem in SMOKE])

    def told(*argv: object) -> str:
        status = cli.main([*map(str, argv), "--runs", str(tmp_path)])
        assert status == 0
        return capsys.readouterr().out

    home = ("--project", real_lean.home)
    out = told("recheck", "a.search-0", "--lean", "file", *home, "--keep", "--json", "--plain")
    assert json.loads(out)["changed"] == []
    sections = json.loads(told("leaderboard", "--json"))["sections"]
    assert {"repl-checked"} <= {section["tier"] for section in sections}, sections


def test_what_rules_of_other_harnesses_take(
    real_lean: RealLean, figures: Figures, capsys: pytest.CaptureFixture[str]
) -> None:
    home = ["--lean", "file", "--project", str(real_lean.home), "--workers", str(WORKERS)]
    status = cli.main(["validate", "--attacks", "--peers", *home, "--json", "--plain"])
    found = json.loads(capsys.readouterr().out)
    taken = {name: len(rule["taken"]) for name, rule in found["rules"].items()}
    figures.add(f"of {found['compiled']} cheats that Lean compiles, taken by: {taken}")
    assert status == 0
    assert taken["this project"] == 0
    assert taken["Kimina, analyze"] > 10 and taken["CoProver, evaluate"] > 10
