"""The museum over every service that can run here: no attack accepted, no honest proof rejected."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from harness.audits.museum import (
    NEEDS,
    Exhibit,
    MuseumRow,
    museum_folder,
    museum_summary,
    museum_table,
    read_museum,
    run_museum,
)
from harness.errors import UserError
from harness.lean.services.embedded import CoreVerifier
from harness.lean.services.opening import open_services
from harness.lean.text.assemble import assemble
from harness.lean.verdicts.evidence import refusal
from harness.protocols import Candidate, Verifier
from harness.spec import LeanSpec
from harness.types import Level, Problem, Status, Verdict
from tests.lean.services.conftest import real_server  # noqa: F401
from tests.lean.services.test_conformance import client, core, own_server, repl
from tests.shares import BOUNDED, SLOW, of_the_museum

EXHIBITS = read_museum(museum_folder())


def test_the_museum_is_as_large_as_promised() -> None:
    attacks = [exhibit for exhibit in EXHIBITS if not exhibit.honest]
    assert len(attacks) >= 60
    assert {exhibit.row for exhibit in attacks} == set(range(1, 28))
    assert sum(exhibit.honest and exhibit.needs == "core" for exhibit in EXHIBITS) >= 30


@pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda exhibit: exhibit.name)
def test_screen_and_assembly_stop_what_they_are_said_to_stop(exhibit) -> None:  # type: ignore[no-untyped-def]
    verdict = refusal(assemble(exhibit.problem, exhibit.answer), Level.FAST)
    if exhibit.tier == "screen":
        assert verdict is not None
        assert verdict.status is Status.REJECTED
        assert verdict.reason in exhibit.reasons
        assert verdict.detail
    elif exhibit.honest:
        assert verdict is None, verdict
    elif verdict is not None:
        assert exhibit.tier == "assembly"
        assert verdict.reason in exhibit.reasons


Opened = AbstractAsyncContextManager[Verifier]


def _check(
    opened: Callable[[], Opened], exhibits: Sequence[Exhibit] = EXHIBITS, *, reach: str = NEEDS[0]
) -> None:
    async def show() -> list[MuseumRow]:
        async with opened() as verifier:
            return await run_museum(verifier, exhibits, reach=reach)

    rows = asyncio.run(show())
    counts = museum_summary(rows)
    wrong = "\n".join(line for line in museum_table(rows) if " NO: " in line)
    assert counts["attacks_accepted"] == 0, wrong
    assert counts["honest_rejected"] == 0, wrong
    assert counts["unexpected"] == 0, wrong
    assert counts["attacks"] + counts["honest"] == len(rows)


def test_the_core_judges_all_of_it() -> None:
    _check(core)


def test_a_share_holds_every_kind() -> None:
    share = of_the_museum(EXHIBITS)
    assert {one.name.split("/")[0] for one in EXHIBITS} - {one.name.split("/")[0] for one in share} == {
        one.name for one in EXHIBITS if one.name.startswith(SLOW) and one.name != BOUNDED
    }
    assert {(one.row, one.tier) for one in share} == {(one.row, one.tier) for one in EXHIBITS}
    assert sum(one.name.startswith("honest/") for one in share) >= 14


@pytest.mark.parametrize("opened", [repl, own_server], ids=["repl", "own-server"])
def test_services_over_the_core(opened: Callable[[], Opened], in_full: bool) -> None:
    _check(opened, EXHIBITS if in_full else of_the_museum(EXHIBITS))


@pytest.mark.kimina
def test_the_real_kimina_server(real_server: str, in_full: bool) -> None:  # noqa: F811
    @asynccontextmanager
    async def opened():  # type: ignore[no-untyped-def]
        verifier = client(real_server)
        try:
            yield verifier
        finally:
            await verifier.close()

    _check(opened, EXHIBITS if in_full else of_the_museum(EXHIBITS))


@pytest.mark.lean
@pytest.mark.skipif("HARNESS_LEAN_PROJECT" not in os.environ, reason="HARNESS_LEAN_PROJECT is not set")
def test_real_lean() -> None:
    @asynccontextmanager
    async def opened():  # type: ignore[no-untyped-def]
        project = os.environ["HARNESS_LEAN_PROJECT"]
        verifier = open_services(LeanSpec(service="repl", project=project, workers=2)).verifier
        try:
            yield verifier
        finally:
            await verifier.close()

    _check(opened, reach=NEEDS[-1])


SCOPES = """
namespace N|end N|section|end|variable (h : False)|include h|open N|abbrev False := True|universe u
def False : Prop := True|def good (n : Nat) : Prop := True
theorem foo : True := True.intro|theorem foo : 1 = 1 := rfl
"""
ENDINGS = """
theorem foo : False := trivial|theorem foo (n : Nat) : good n := True.intro|theorem foo : False := h
theorem foo : False := by assumption|theorem foo : False := by exact trivial\\nend N|trivial|by exact foo
"""


def test_random_scopes_and_shadows_never_prove_what_is_false() -> None:
    header = "import Mathlib\n\n"
    problems = [
        Problem("foo", "toy", "test", header, "theorem foo : False", "foo"),
        Problem(
            "foo", "toy", "test", header + "def good (n : Nat) : Prop := n = 1\n\n",
            "theorem foo (n : Nat) : good n", "foo",
        ),
    ]  # fmt: skip
    rng = random.Random(7)
    scopes, endings = (
        SCOPES.strip().replace("\n", "|").split("|"),
        ENDINGS.strip().replace("\n", "|").split("|"),
    )
    answers = [
        "\n".join([*rng.choices(scopes, k=rng.randint(1, 4)), rng.choice(endings).replace("\\n", "\n")])
        for _ in range(120)
    ]
    candidates = [Candidate(problem, answer) for problem in problems for answer in answers]
    reasons: Counter[str] = Counter()
    for level in Level:
        for item, verdict in zip(
            candidates, asyncio.run(CoreVerifier().check(candidates, level)), strict=True
        ):
            assert verdict.status is Status.REJECTED, (item.proof, verdict)
            reasons[verdict.reason] += 1
    assert reasons["error"] > 0


def test_one_accepted_attack_is_counted_and_shown() -> None:
    attack = next(exhibit for exhibit in EXHIBITS if not exhibit.honest)
    honest = next(exhibit for exhibit in EXHIBITS if exhibit.honest)
    rows = [
        MuseumRow(attack, Level.FAST, Verdict(Status.PROVED, "ok")),
        MuseumRow(honest, Level.FAST, Verdict(Status.REJECTED, "error", "unknown identifier")),
        MuseumRow(honest, Level.STRICT, Verdict(Status.INFRA, "service")),
    ]
    assert museum_summary(rows) == {
        "attacks": 1,
        "attacks_accepted": 1,
        "honest": 2,
        "honest_accepted": 0,
        "honest_rejected": 1,
        "unscored": 1,
        "unexpected": 3,
    }
    assert Counter(" NO: " in line for line in museum_table(rows))[True] == 3


def test_a_broken_exhibit_is_named(tmp_path: Path) -> None:
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "problem.json").write_text("{}")
    with pytest.raises(UserError, match="half: holds no answer"):
        read_museum(tmp_path)
    (tmp_path / "half" / "answer.lean").write_text("rfl")
    with pytest.raises(UserError, match=r"half/expected\.json"):
        read_museum(tmp_path)
