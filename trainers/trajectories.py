"""Labelled states: what search or whole proofs on training theorems leave behind for the value model.

Pure, apart from reading and writing JSON lines. States on a proof carry the true number of tactics left;
how the others are labelled is a setting, because most states off the proof found are provable all the same
and a blind 0 teaches the value model to rank wrongly.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from harness import files
from harness.errors import StoreError
from harness.experiment.spec import ValueSpec

Kind = Literal["proof", "other", "unprovable"]
KINDS: tuple[Kind, ...] = get_args(Kind)
STATES = "states.jsonl"
"""The file of a finished collection."""


@dataclass(frozen=True, slots=True)
class LabelledState:
    """One state that a search met, or an accepted proof."""

    problem_id: str
    revision: str
    state: str
    """All open goals as Lean prints them, separated by blank lines."""
    tactics_left: int | None
    """Tactics from here to QED on the proof found, at least 1; present exactly for `kind: proof`."""
    kind: Kind
    """`proof`: on a proof found; `unprovable`: all that was proposed failed or led to such; `other`."""
    tactic: str | None
    """The tactic that the proof applies here; None off the proof."""
    round: int
    """Co-training round that collected it, 0-based."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r} is none of {', '.join(KINDS)}")
        if (self.kind == "proof") != (self.tactics_left is not None):
            raise ValueError(f"kind {self.kind!r} with tactics_left {self.tactics_left}")
        if self.tactics_left is not None and self.tactics_left < 1:
            raise ValueError(f"tactics_left {self.tactics_left} is below 1")

    @property
    def goals(self) -> tuple[str, ...]:
        """The open goals."""
        return tuple(self.state.split("\n\n"))


def label(state: LabelledState, spec: ValueSpec) -> float | None:
    """gamma**d for a state d tactics from QED; 0.0 or None (left out) for the others, as the spec says."""
    if state.tactics_left is not None:
        return spec.gamma**state.tactics_left
    zero = spec.other_states == "zero" or (spec.other_states == "unprovable" and state.kind == "unprovable")
    return 0.0 if zero else None


def merged(states: Iterable[LabelledState]) -> list[LabelledState]:
    """One entry per state of a theorem revision, in order of first appearance.

    Several searches meet the same state: a proof beats no proof, the shorter proof beats the longer, and
    `other` beats `unprovable`, which a later search may have refuted.
    """
    best: dict[tuple[str, str], LabelledState] = {}
    for state in states:
        key = (state.revision, state.state)
        if key not in best or _rank(state) < _rank(best[key]):
            best[key] = state
    return list(best.values())


def _rank(state: LabelledState) -> tuple[int, int]:
    return KINDS.index(state.kind), state.tactics_left or 0


def held_out(state: LabelledState, spec: ValueSpec, seed: int) -> bool:
    """Whether the state's theorem is kept back to measure on: the theorem and the seed alone decide."""
    hashed = hashlib.sha256(f"{seed}\n{state.revision}".encode()).digest()
    return int.from_bytes(hashed[:6], "big") / 2**48 < spec.held_out


def write(path: Path, states: Sequence[LabelledState]) -> None:
    """Write `states` as JSON lines, the whole file or nothing. Raises `StoreError` when that fails."""
    lines = [json.dumps(dataclasses.asdict(state), ensure_ascii=False) + "\n" for state in states]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.replace(path, "".join(lines))
    except OSError as cause:
        raise StoreError(f"{path}: cannot be written: {cause.strerror}") from cause


def read(path: Path) -> list[LabelledState]:
    """Inverse of `write`. Raises `StoreError` naming file, line and mistake."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as cause:
        raise StoreError(f"{path}: cannot be read: {cause}") from cause
    return [_state(path, number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def _state(path: Path, number: int, line: str) -> LabelledState:
    try:
        row: dict[str, Any] = json.loads(line)
        return LabelledState(**row)
    except (TypeError, ValueError) as cause:
        raise StoreError(
            f"{path}:{number}: not a labelled state: {cause}; collect the states again"
        ) from cause
