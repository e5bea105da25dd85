"""The verdict cache: equal questions are asked once, and nothing is found under another address."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.errors import InfraError
from harness.lean.verdicts.cache import CachedVerifier, VerdictCache, address
from harness.protocols import Candidate
from harness.types import Hole, Level, Problem, Status, Verdict

PROBLEM = Problem("p", "toy", "test", "import Mathlib\n", "theorem p : True", "p", toolchain="v4.9.0")


class Oracle:
    """Says what the proof's first word names, and counts."""

    def __init__(self, pause_s: float = 0.0) -> None:
        self.asked: list[str] = []
        self.pause_s = pause_s
        self.closed = False

    async def check(self, candidates: Sequence[Candidate], level: Level) -> list[Verdict]:
        self.asked += [candidate.proof for candidate in candidates]
        await asyncio.sleep(self.pause_s)
        if any(candidate.proof.startswith("raise") for candidate in candidates):
            raise InfraError("boom")
        return [
            Verdict(
                Status(candidate.proof.split()[0]), "ok", "détail", ("propext",), level, "oracle", "", 1.5
            )
            for candidate in candidates
        ]

    async def close(self) -> None:
        self.closed = True


def ask(verifier: CachedVerifier, *proofs: str, level: Level = Level.FAST) -> list[Verdict]:
    return asyncio.run(verifier.check([Candidate(PROBLEM, proof) for proof in proofs], level))


def test_equal_candidates_are_asked_once() -> None:
    oracle = Oracle()
    verifier = CachedVerifier(oracle, VerdictCache(None), "v")
    first = ask(verifier, "proved a", "rejected b", "proved a")
    assert [verdict.status.value for verdict in first] == ["proved", "rejected", "proved"]
    assert ask(verifier, "rejected b", "proved a") == [first[1], first[0]]
    assert oracle.asked == ["proved a", "rejected b"]
    asyncio.run(verifier.close())
    assert oracle.closed


def test_concurrent_callers_share_a_question() -> None:
    async def run() -> None:
        oracle = Oracle(0.05)
        verifier = CachedVerifier(oracle, VerdictCache(None), "v")
        checks = (verifier.check([Candidate(PROBLEM, "proved a")], Level.FAST) for _ in range(5))
        assert len({verdicts[0] for verdicts in await asyncio.gather(*checks)}) == 1
        assert oracle.asked == ["proved a"]

    asyncio.run(run())


def test_a_cancelled_or_failed_asker_takes_nobody_along() -> None:
    async def run() -> None:
        oracle = Oracle(0.05)
        verifier = CachedVerifier(oracle, VerdictCache(None), "v")
        first = asyncio.create_task(verifier.check([Candidate(PROBLEM, "proved a")], Level.FAST))
        second = asyncio.create_task(verifier.check([Candidate(PROBLEM, "proved a")], Level.FAST))
        await asyncio.sleep(0.01)
        first.cancel()
        assert (await second)[0].status is Status.PROVED
        with pytest.raises(InfraError):
            await verifier.check([Candidate(PROBLEM, "raise")], Level.FAST)
        with pytest.raises(InfraError):
            await verifier.check([Candidate(PROBLEM, "raise")], Level.FAST)

    asyncio.run(run())


def test_only_judgements_are_kept(tmp_path: Path) -> None:
    oracle = Oracle()
    proofs = ["proved a", "rejected a", "timeout a", "infra a"]
    ask(CachedVerifier(oracle, VerdictCache(tmp_path), "v"), *proofs)
    ask(CachedVerifier(oracle, VerdictCache(tmp_path), "v"), *proofs)
    assert oracle.asked[4:] == ["timeout a", "infra a"]


def test_disk_keeps_the_whole_verdict(tmp_path: Path) -> None:
    before = ask(CachedVerifier(Oracle(), VerdictCache(tmp_path), "v"), "proved a")
    oracle = Oracle()
    assert ask(CachedVerifier(oracle, VerdictCache(tmp_path), "v"), "proved a") == before
    assert oracle.asked == []


def test_others_who_share_the_folder_read_it_too(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        VerdictCache(tmp_path).put("ab" * 32, Verdict(Status.PROVED, "ok"))
    finally:
        os.umask(before)
    [path] = tmp_path.glob("*/*.json")
    assert path.stat().st_mode & 0o777 == 0o644


def test_every_part_is_in_the_address() -> None:
    def change(**parts: object) -> Candidate:
        return Candidate(dataclasses.replace(PROBLEM, **parts), "proved a")  # type: ignore[arg-type]

    base = change()
    addresses = {
        address(base, Level.FAST, "v"),
        address(base, Level.STRICT, "v"),
        address(base, Level.FAST, "w"),
        address(Candidate(PROBLEM, "proved  a"), Level.FAST, "v"),
        address(change(statement="theorem p : False"), Level.FAST, "v"),
        address(change(header="import Init\n"), Level.FAST, "v"),
        address(change(toolchain="v4.15.0"), Level.FAST, "v"),
        address(change(theorem="q"), Level.FAST, "v"),
        address(change(holes=(Hole("h", "Nat", "1"),)), Level.FAST, "v"),
        address(change(holes=(Hole("h", "Nat", "2"),)), Level.FAST, "v"),
    }
    assert len(addresses) == 10
    assert address(change(id="renamed", informal="prose"), Level.FAST, "v") in addresses


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"status": "proved"}', '{"status": "infra", "level": "fast"}']
)
def test_a_spoilt_file_counts_as_absent(tmp_path: Path, text: str) -> None:
    ask(CachedVerifier(Oracle(), VerdictCache(tmp_path), "v"), "proved a")
    (file,) = tmp_path.rglob("*.json")
    file.write_text(text)
    oracle = Oracle()
    ask(CachedVerifier(oracle, VerdictCache(tmp_path), "v"), "proved a")
    assert oracle.asked == ["proved a"]


def test_a_disk_that_refuses_costs_only_the_next_hit(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    verifier = CachedVerifier(Oracle(), VerdictCache(blocked / "below"), "v")
    assert ask(verifier, "proved a")[0].status is Status.PROVED


def test_memory_is_bounded() -> None:
    cache = VerdictCache(None, in_memory=2)
    verdict = Verdict(Status.PROVED, "ok")
    for key in "abc":
        cache.put(key, verdict)
    assert [cache.get(key) is None for key in "abc"] == [True, False, False]


def test_no_partial_files_are_left(tmp_path: Path) -> None:
    ask(CachedVerifier(Oracle(), VerdictCache(tmp_path), "v"), *(f"proved {n}" for n in range(20)))
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".json"}
