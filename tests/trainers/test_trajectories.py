"""Labelled states: the rules of their labels, merging, and the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import StoreError
from harness.experiment.spec import ValueSpec
from trainers import trajectories
from trainers.trajectories import LabelledState


def state(text: str = "⊢ P", left: int | None = 2, kind: Any = "proof", **more: Any) -> LabelledState:
    return LabelledState("p", more.pop("revision", "r"), text, left, kind, None, more.pop("round", 0))


@pytest.mark.parametrize(("d", "rounded"), [(1, 0.95), (2, 0.90), (3, 0.86), (4, 0.81), (5, 0.77)])
def test_labels_on_proofs_are_powers_of_gamma(d: int, rounded: float) -> None:
    value = trajectories.label(state(left=d), ValueSpec(gamma=0.95))
    assert value is not None and round(value, 2) == rounded


@pytest.mark.parametrize(
    ("rule", "other", "unprovable"),
    [("unlabelled", None, None), ("zero", 0.0, 0.0), ("unprovable", None, 0.0)],
)
def test_labels_off_proofs_follow_the_setting(rule: Any, other: Any, unprovable: Any) -> None:
    spec = ValueSpec(other_states=rule)
    assert trajectories.label(state(left=None, kind="other"), spec) == other
    assert trajectories.label(state(left=None, kind="unprovable"), spec) == unprovable


def test_the_better_news_of_a_state_wins() -> None:
    proof, longer = state(left=2), state(left=5)
    other, dead = state(left=None, kind="other"), state(left=None, kind="unprovable")
    elsewhere = state(left=9, revision="another")
    assert trajectories.merged([dead, other, longer, elsewhere, proof, longer]) == [proof, elsewhere]
    assert trajectories.merged([dead, other]) == [other]
    assert trajectories.merged([]) == []


@pytest.mark.parametrize(("left", "kind"), [(None, "proof"), (3, "other"), (0, "proof"), (None, "maybe")])
def test_impossible_states_cannot_be_made(left: int | None, kind: str) -> None:
    with pytest.raises(ValueError, match=r"kind|tactics_left"):
        state(left=left, kind=kind)


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    states = [state("case a\nx : α\n⊢ x = x\n\n⊢ Q"), state(left=None, kind="other", round=3)]
    trajectories.write(tmp_path / "deep" / "states.jsonl", states)
    assert trajectories.read(tmp_path / "deep" / "states.jsonl") == states
    assert states[0].goals == ("case a\nx : α\n⊢ x = x", "⊢ Q")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["states.jsonl"]


@pytest.mark.parametrize("line", ['{"state": 1', '{"state": "x"}', "[]", '"x"'])
def test_a_corrupt_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "states.jsonl"
    trajectories.write(path, [state()])
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    with pytest.raises(StoreError, match=r"states\.jsonl:2: not a labelled state"):
        trajectories.read(path)


def test_unreadable_and_unwritable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        trajectories.read(tmp_path / "none.jsonl")
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot be written"):
        trajectories.write(tmp_path / "file" / "states.jsonl", [state()])
