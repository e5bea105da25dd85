"""Stability and backward transfer, counted by hand, and which runs are rounds of one training."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from harness.analysis.rounds import history, transfer
from harness.analysis.runs import RunView
from harness.cli import main
from harness.records.store import RunStore
from tests.making import record, refs, run, session

FOUR = refs(4)


def after(rounds: int, proved: str, **changes: Any) -> RunView:
    """The run after so many rounds; a sign a theorem: + proved, - not, ? not scored."""
    status = {"+": "proved", "-": "rejected", "?": "infra"}
    records = [record(item.id, status[sign]) for item, sign in zip(FOUR, proved, strict=True)]
    generator = {"digest": f"g{rounds}", "warm_start": "g0", "rounds": rounds, "weights": f"w{rounds}"}
    return run(f"toy.r{rounds}", records, FOUR, {"generator": generator, **_trained(rounds), **changes})


def _trained(rounds: int) -> dict[str, Any]:
    return {"improve": {"method": "grpo"}, "grpo": {"kl": 0.0}} if rounds else {}


def test_kept_lost_gained_and_backward_transfer() -> None:
    found = transfer([after(0, "++--"), after(1, "+-+-"), after(3, "+++-")])
    assert found is not None
    told = [(s.before, s.after, s.kept, s.lost, s.gained, s.stability) for s in found.steps]
    assert told == [(0, 1, 1, 1, 1, 0.5), (1, 3, 2, 0, 1, 1.0)]
    # 3 proved at the end, 2 and 2 before: (1/4 + 1/4) / 2.
    assert found.backward.value == pytest.approx(0.25) and found.backward.n == 4
    assert (found.forgotten, found.ever) == (0, 3)


def test_what_is_proved_once_and_not_at_the_end_is_forgotten() -> None:
    found = transfer([after(1, "++--"), after(2, "--+-")])
    assert found is not None and (found.forgotten, found.ever) == (2, 3)
    assert found.backward.value == pytest.approx(-0.25)


def test_theorems_that_the_machine_failed_on_once_are_left_out() -> None:
    found = transfer([after(1, "+?--"), after(2, "++--")])
    assert found is not None and found.steps[0].problems == 3
    assert found.steps[0].gained == 0


def test_nothing_to_compare_and_nothing_proved() -> None:
    assert transfer([after(1, "++--")]) is None
    found = transfer([after(1, "----"), after(2, "----")])
    assert found is not None and found.steps[0].stability is None


def stored(root: Path, view: RunView) -> None:
    with RunStore.create_or_resume(root / view.name, view.spec, list(view.problems), session()) as store:
        for item in view.records:
            store.append(item)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    views = [after(0, "+---"), after(1, "++--"), after(2, "+++-")]
    others = [
        dataclasses.replace(after(1, "----", seed=1), name="toy.other-seed"),
        dataclasses.replace(after(1, "----", **{"search.alpha": 1.0}), name="toy.other-search"),
        dataclasses.replace(after(2, "----", grpo={"kl": 0.1}), name="toy.other-training"),
        dataclasses.replace(after(3, "----", experiment="other"), name="other.r3"),
    ]
    for view in (*views, *others):
        stored(tmp_path, view)
    return tmp_path


def test_the_rounds_of_a_training_are_found_and_no_others(root: Path) -> None:
    assert [one.name for one in history(root, after(2, "+++-"))] == ["toy.r0", "toy.r1", "toy.r2"]
    assert [one.name for one in history(root, after(0, "+---"))] == ["toy.r0"], "it leads to many trainings"


def test_show_tells_them(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "toy.r2", "--runs", str(root), "--plain"]) == 0
    text = capsys.readouterr().out
    assert "From round to round, 4 problems" in text and "0 (warm start)" in text
    assert "of 3 theorems ever proved 0 are not after the last round" in text
    assert main(["show", "toy.r2", "--runs", str(root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rounds"]["steps"][1]["kept"] == 2
