"""GRPO beside the search and the value model: the same files as one after the other, and one fate."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from harness import devices
from harness.errors import UserError
from harness.experiment.cache import Stage
from harness.experiment.files import Overrides, find, load, setting
from harness.experiment.node import ServingSpec
from harness.experiment.plan import Plan, Round, plan
from harness.experiment.resources import Resources
from harness.processes.helper import Helper
from harness.terminal.progress import Plain
from harness.tracking.events import Event, StageAdvanced, StageFinished
from trainers import beside, cotrain, stages

SMALL = (
    "train.max_difficulty=2",
    "train.limit=80",
    "generator.hidden_size=48",
    "generator.layers=1",
    "generator.heads=2",
    "generator.vocab_size=300",
    "generator.context=128",
    "generator.max_difficulty=2",
    "generator.steps=60",
    "trajectories.problems=30",
    "trajectories.search.expansions=8",
    "trajectories.search.tactic_calls=40",
    "value.epochs=1",
    "value.held_out=0.3",
    "value.other_states=zero",
    f"grpo.steps={beside.SHORT}",
    "grpo.samples=4",
    "grpo.prompts=2",
    "grpo.min_difficulty=1",
    "grpo.max_difficulty=2",
    "whole_proof.max_new_tokens=24",
    "runtime.threads=2",
)


def planned(*changes: str) -> Plan:
    return plan(load(find("embedded"), Overrides(values=tuple(map(setting, (*SMALL, *changes))))))


class Heard:
    """A tracker that remembers."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def log(self, event: Event) -> None:
        self.events.append(event)

    def close(self) -> None:
        """Nothing."""


def left(root: Path) -> dict[str, Any]:
    """What the stages left: files that training makes whole, and figures without times."""
    found: dict[str, Any] = {}
    for folder in sorted((root / "stages").glob("[a-z]*")):
        for name in ("model.safetensors", "states.jsonl", "curve.jsonl", "built_by.json"):
            if (folder / name).is_file():
                found[f"{folder.name}/{name}"] = (folder / name).read_bytes()
        told = json.loads((folder / "stage.json").read_text())
        metrics = {key: value for key, value in told["metrics"].items() if "seconds" not in key}
        found[folder.name] = {**told, "metrics": metrics, "seconds": 0, "started_at": "", "contents": ""}
    return found


@pytest.mark.slow
def test_side_by_side_with_one_thread_each_the_stages_are_those_of_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = planned()
    heard = Heard()
    monkeypatch.setattr(devices, "cores", lambda: 2)
    assert beside.possible(made) and beside.halved(made).spec.runtime.threads == 1
    cotrain.train(made, Resources(tmp_path / "together", Plain()), made.stages(), heard)
    told = [event.stage for event in heard.events if isinstance(event, StageFinished)]
    assert told == [name for name, _ in made.stages()]
    assert any(isinstance(event, StageAdvanced) and "grpo" in event.stage for event in heard.events)
    monkeypatch.setattr(devices, "cores", lambda: 1)
    assert not beside.possible(made)
    cotrain.train(made, Resources(tmp_path / "in-turn", Plain()), made.stages())
    assert left(tmp_path / "together") == left(tmp_path / "in-turn")


@pytest.mark.slow
def test_what_fails_there_is_told_here_and_ends_what_goes_on_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "cores", lambda: 2)
    made = planned("generator.steps=1", "grpo.min_difficulty=9", "grpo.max_difficulty=9")
    cotrain.train(made, Resources(tmp_path, Plain()), made.stages()[:1])
    began: list[Helper] = []
    started = Helper.__init__
    monkeypatch.setattr(
        Helper, "__init__", lambda self, module: (began.append(self), started(self, module))[1]
    )

    def endless(*given: Any) -> dict[str, Any]:
        while True:
            given[-1](0, 1, {})

    monkeypatch.setattr(stages, "make_trajectories", endless)
    with pytest.raises(UserError, match=r"grpo\.m.._difficulty"):
        cotrain.train(made, Resources(tmp_path, Plain()), made.stages())
    [helper] = began
    assert helper._process.returncode is not None


def over_at_once(
    made: Plan, resources: Resources, item: Round, out: Path, progress: beside.Progress
) -> dict[str, int]:
    progress(1, 1, {})
    return {"steps": 1}


def test_one_that_is_over_before_it_hears_that_it_is_alone_is_done(tmp_path: Path) -> None:
    made = planned()
    ask = beside.Errand(over_at_once, made, made.rounds[0], tmp_path, alone=2)

    def until_it_is_over(*_: object) -> None:
        elsewhere._helper._process.wait(60)

    def stage(make: beside.Make) -> Stage:
        metrics = make(tmp_path, until_it_is_over)
        return Stage(tmp_path, metrics, 0.0, cached=False)

    elsewhere = beside.Elsewhere(ask, stage)
    with elsewhere:
        assert elsewhere.result().metrics == {"steps": 1}


def test_an_interruption_here_ends_it_there(tmp_path: Path) -> None:
    made = planned()
    ask = beside.Errand(stages.make_grpo, made, made.rounds[0], tmp_path, 2)
    elsewhere = beside.Elsewhere(ask, lambda make: make(tmp_path, lambda *_: None))  # type: ignore[arg-type,return-value]
    with pytest.raises(KeyboardInterrupt), elsewhere:
        raise KeyboardInterrupt
    assert elsewhere._helper._process.returncode is not None


@pytest.mark.parametrize(
    "change", ["grpo.steps=2", "improve.backend=openrlhf"], ids=["over at once", "on GPUs"]
)
def test_where_it_gains_nothing_one_comes_after_the_other(
    change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "cores", lambda: 8)
    assert beside.halved(planned()).spec.runtime.threads == 2
    assert not beside.possible(planned(change))


def test_models_that_the_run_serves_are_asked_while_nothing_is_trained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The process beside would start servers too, on ports that are taken, and end those of this one."""
    monkeypatch.setattr(devices, "cores", lambda: 8)
    made = planned()
    node = made.spec.node.model_copy(update={"serving": ServingSpec()})
    served = dataclasses.replace(made, spec=made.spec.model_copy(update={"node": node}))
    assert beside.possible(made) and not beside.possible(served)
