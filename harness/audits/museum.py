"""The museum: known ways to cheat a proof checker, and honest proofs that look like cheating.

A folder with `problem.json`, `expected.json` and one or more `*.lean` is one kind of attack (or of honest
proof) in its variants; a line of a `*.jsonl` is an honest answer in the shape that some prover gives it.
`tests/attacks` holds ours.
A verifier passes when no attack is accepted and no honest proof rejected, at both levels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.protocols import Candidate, Verifier
from harness.terminal.tables import aligned
from harness.types import Hole, Level, Problem, Status, Verdict

NEEDS = ("core", "init", "lean")
"""What can judge an exhibit, least first: the embedded fragment, real Lean alone, real Lean with Mathlib."""
TIERS = ("screen", "assembly", "fast", "strict", "real-lean")


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One candidate and what has to become of it."""

    name: str
    problem: Problem
    answer: str
    status: Status
    reasons: tuple[str, ...]
    """Acceptable reasons of the verdict; services differ in what they notice first."""
    tier: str
    """What catches it: one of `TIERS`. For an honest proof, the strictest tier it has to pass."""
    needs: str
    """One of `NEEDS`."""
    row: int
    """Kind of attack, 1 to 27; 0 for an honest proof."""
    why: str

    @property
    def honest(self) -> bool:
        """Whether it has to be accepted."""
        return self.status is Status.PROVED


@dataclass(frozen=True, slots=True)
class MuseumRow:
    """What a verifier made of one exhibit at one level."""

    exhibit: Exhibit
    level: Level
    verdict: Verdict

    @property
    def ok(self) -> bool:
        """The expected status for an expected reason; the machine failing is neither and counts as wrong."""
        return self.verdict.status is self.exhibit.status and self.verdict.reason in self.exhibit.reasons


def museum_folder() -> Path:
    """The exhibits of this checkout. Raises `UserError` in an installation without its tests."""
    folder = Path(__file__).resolve().parents[2] / "tests" / "attacks"
    if not folder.is_dir():
        raise UserError(f"{folder}: no exhibits here; run this from a checkout of the project")
    return folder


def read_museum(folder: Path) -> list[Exhibit]:
    """Every exhibit of `folder`, by name. Raises `UserError` naming the file that is wrong."""
    places = sorted(place for place in folder.iterdir() if place.name[0] != "_")
    exhibits = [exhibit for place in places if place.is_dir() for exhibit in _variants(place)]
    exhibits += [shape for place in places if place.suffix == ".jsonl" for shape in _shapes(place)]
    if not exhibits:
        raise UserError(f"{folder}: holds no exhibits; each is a folder with problem.json and *.lean")
    return exhibits


def _probe(header: str, statement: str, proof: str) -> Candidate:
    return Candidate(Problem("probe", "museum", "test", header, f"theorem probe {statement}", "probe"), proof)


_PROBES = {
    "lean": _probe("import Mathlib\n\n", ": Real.sqrt 0 = Real.sqrt 0", "rfl"),
    "init": _probe("", "(a b : Nat) : a + b = b + a", "by exact?"),
}


async def reach_of(verifier: Verifier) -> str:
    """The most of `NEEDS` that the service has: bare Lean has no real numbers, the core no search."""
    for needs, candidate in _PROBES.items():
        (verdict,) = await verifier.check([candidate], Level.FAST)
        if verdict.status is Status.PROVED:
            return needs
    return NEEDS[0]


async def run_museum(
    verifier: Verifier,
    exhibits: Sequence[Exhibit],
    *,
    reach: str = NEEDS[0],
    levels: Sequence[Level] = (Level.FAST, Level.STRICT),
) -> list[MuseumRow]:
    """Show every exhibit that this service can judge to `verifier`, at each level.

    `reach`: what the service has, one of `NEEDS`; exhibits that need more are left out.
    """
    shown = [exhibit for exhibit in exhibits if NEEDS.index(exhibit.needs) <= NEEDS.index(reach)]
    candidates = [Candidate(exhibit.problem, exhibit.answer) for exhibit in shown]
    rows: list[MuseumRow] = []
    for level in levels:
        verdicts = await verifier.check(candidates, level)
        pairs = zip(shown, verdicts, strict=True)
        rows.extend(MuseumRow(exhibit, level, verdict) for exhibit, verdict in pairs)
    return rows


def museum_summary(rows: Sequence[MuseumRow]) -> dict[str, int]:
    """Counts that matter: attacks and honest proofs shown, accepted, refused, not as expected, unscored.

    An honest proof is refused when it is rejected for whatever reason or not judged in time.
    """
    return {
        "attacks": sum(not row.exhibit.honest for row in rows),
        "attacks_accepted": sum(
            not row.exhibit.honest and row.verdict.status is Status.PROVED for row in rows
        ),
        "honest": sum(row.exhibit.honest for row in rows),
        "honest_accepted": sum(row.exhibit.honest and row.verdict.status is Status.PROVED for row in rows),
        "honest_rejected": sum(
            row.exhibit.honest and row.verdict.status in (Status.REJECTED, Status.TIMEOUT) for row in rows
        ),
        "unscored": sum(row.verdict.status is Status.INFRA for row in rows),
        "unexpected": sum(not row.ok for row in rows),
    }


def museum_table(rows: Sequence[MuseumRow]) -> list[str]:
    """Lines of a plain table, one row for each exhibit and level, and the counts below."""
    header = ("exhibit", "row", "level", "caught by", "verdict", "reason", "as expected")
    return [*aligned([header, *map(_cells, rows)], right={1}), *_bars(museum_summary(rows))]


def _cells(row: MuseumRow) -> tuple[str, ...]:
    exhibit, verdict = row.exhibit, row.verdict
    kind, tier = ("ok", "") if exhibit.honest else (str(exhibit.row), exhibit.tier)
    expected = f"{exhibit.status} ({' or '.join(exhibit.reasons)}); {verdict.detail[:80]}"
    mark = "yes" if row.ok else f"NO: {expected}"
    return exhibit.name, kind, row.level, tier, verdict.status, verdict.reason, mark


def _bars(counts: Mapping[str, int]) -> list[str]:
    """The two bars side by side: no cheat accepted, no honest answer refused."""
    return [
        f"cheats: {counts['attacks_accepted']} of {counts['attacks']} accepted",
        f"honest answers: {counts['honest_accepted']} of {counts['honest']} accepted, "
        f"{counts['honest_rejected']} refused",
        f"not judged: {counts['unscored']}; not as expected: {counts['unexpected']}",
    ]


def _variants(folder: Path) -> list[Exhibit]:
    answers = sorted(folder.glob("*.lean"))
    if not answers:
        raise UserError(f"{folder}: holds no answer; each is a file *.lean")
    return [_read(folder, answer) for answer in answers]


def _read(folder: Path, place: Path) -> Exhibit:
    problem = _object(folder / "problem.json")
    expected = _object(folder / "expected.json")
    try:
        answer = place.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as cause:
        raise UserError(f"{place}: {cause}") from cause
    try:
        holes = tuple(Hole(**hole) for hole in problem.pop("holes", []))
        built = Problem(id=folder.name, benchmark="attacks", split="test", holes=holes, **problem)
        exhibit = Exhibit(
            name=folder.name if place.stem == "answer" else f"{folder.name}/{place.stem}",
            problem=built,
            answer=answer,
            status=Status(expected.pop("status")),
            reasons=tuple(expected.pop("reasons")),
            **expected,
        )
    except (TypeError, ValueError, KeyError) as cause:
        raise UserError(f"{folder}: problem.json or expected.json: {cause}") from cause
    if exhibit.needs not in NEEDS or exhibit.tier not in TIERS:
        raise UserError(f"{folder / 'expected.json'}: needs is one of {NEEDS}, tier one of {TIERS}")
    return exhibit


def _lines(path: Path) -> list[str]:
    # Not `splitlines`: an answer may hold the other line separators of Unicode.
    return [line for line in path.read_text(encoding="utf-8").split("\n") if line]


def _shapes(path: Path) -> list[Exhibit]:
    """The honest answers of a JSONL file: `shape`, `statement`, `theorem`, `answer` and maybe `header`."""
    shapes = []
    for number, line in enumerate(_lines(path), start=1):
        try:
            row = json.loads(line)
            name = f"{path.stem}/{number:03}"
            header = row.get("header", "import Mathlib\n\n")
            problem = Problem(name, "attacks", "test", header, row["statement"], row["theorem"])
            why = f"An honest answer: {row['shape']}."
            shapes.append(
                Exhibit(name, problem, row["answer"], Status.PROVED, ("ok",), "strict", "core", 0, why)
            )
        except (ValueError, KeyError, TypeError) as cause:
            raise UserError(f"{path}:{number}: no answer of this museum: {cause!r}") from cause
    return shapes


def _object(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as cause:
        raise UserError(f"{path}: {cause}") from cause
    if not isinstance(data, dict):
        raise UserError(f"{path}: expected a JSON object")
    return data
