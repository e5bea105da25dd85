"""Carrying out a sweep: what runs, what is not run again, when it is given up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.errors import StoreError
from harness.experiment import files
from harness.experiment.choosing import Chooser, chooser
from harness.experiment.conduct import outline
from harness.experiment.outcomes import PointEntry, SweepJournal, sweep_folder
from harness.experiment.plan import plan
from harness.experiment.sweep import Sweep, read_sweep
from harness.experiment.sweeping import Sweeping, SweepLimits
from harness.experiment.workers import PointEnded, PointTask
from harness.records.stages import partial

SWEEP = """
name: toy
method: grid
parameters:
  base: {value: embedded}
  rounds: {value: 0}
  evaluations: {value: [{name: smoke, prover: portfolio, problems: {benchmark: smoke, split: test}}]}
  search: {parameters: {expansions: {values: [1, 2, 3, 4, 5]}}}
"""


class Scripted:
    """Ends each point as `how` says of its number; as many at once as there are slots."""

    def __init__(self, how: Callable[[int], PointEnded], slots: int = 1) -> None:
        self.slots = slots
        self.how = how
        self.started: list[int] = []
        self.stopped: list[int] = []
        self.most = 0
        self.running: list[int] = []
        self.closed = False

    def start(self, task: PointTask) -> None:
        self.started.append(task.spec.search.expansions)
        self.running.append(task.number)
        self.most = max(self.most, len(self.running))

    def ended(self) -> Iterator[PointEnded]:
        number = self.running.pop(0)
        yield self.how(number)

    def stop(self, number: int) -> None:
        self.stopped.append(number)

    def close(self) -> None:
        self.closed = True


def well(number: int) -> PointEnded:
    return PointEnded(number, 0)


def failing(*numbers: int) -> Callable[[int], PointEnded]:
    return lambda number: PointEnded(number, 1, "no Lean") if number in numbers else PointEnded(number, 0)


class World:
    """A sweep file and its runs folder; every call of `go` is another process."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.file = root / "s.yaml"
        self.file.write_text(SWEEP)
        self.sweep: Sweep = read_sweep(self.file)
        self.shown: list[list[str]] = []

    def go(self, worker: Scripted, choose: Chooser | None = None, **limits: Any) -> list[PointEntry]:
        with SweepJournal(sweep_folder(self.root, "toy", 1), self.file) as journal:
            return Sweeping(
                self.sweep,
                choose or chooser(self.sweep, 0),
                lambda point: files.resolve(point, "point"),
                journal,
                worker,
                self.root,
                SweepLimits(**limits),
                self.show,
            ).run()

    def show(self, outcomes: Sequence[PointEntry]) -> None:
        self.shown.append([outcome.state for outcome in outcomes])


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def states(outcomes: Sequence[PointEntry]) -> list[str]:
    return [outcome.state for outcome in outcomes]


def test_every_point_runs_once_in_order_and_is_journaled(world: World) -> None:
    worker = Scripted(well)
    outcomes = world.go(worker)
    assert worker.started == [1, 2, 3, 4, 5] and worker.most == 1 and worker.closed
    assert states(outcomes) == ["finished"] * 5
    assert [outcome.label for outcome in outcomes][:2] == ["search.expansions=1", "search.expansions=2"]
    assert len({run for outcome in outcomes for run in outcome.runs}) == 5
    (journal,) = world.root.glob("sweeps/toy-*/points.jsonl")
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [line["state"] for line in lines] == ["running", "finished"] * 5
    assert (journal.parent / "sweep.yaml").read_text() == SWEEP
    assert world.shown[1] == ["running"] and world.shown[-1] == ["finished"] * 5


def test_points_run_side_by_side_in_as_many_slots_as_there_are(world: World) -> None:
    worker = Scripted(well, slots=3)
    assert states(world.go(worker)) == ["finished"] * 5
    assert worker.most == 3


def test_without_resume_all_run_again_with_it_only_what_is_open(world: World) -> None:
    world.go(Scripted(failing(1)))
    again, resumed, retried = Scripted(failing(1)), Scripted(well), Scripted(well)
    world.go(again)
    assert again.started == [1, 2, 3, 4, 5]
    assert states(world.go(resumed, resume=True)).count("failed") == 1 and resumed.started == []
    outcomes = world.go(retried, retry_failed=True)
    assert retried.started == [2] and states(outcomes) == ["finished"] * 5


def test_an_interruption_is_noted_and_resumed(world: World) -> None:
    def interrupted(number: int) -> PointEnded:
        if number == 2:
            raise KeyboardInterrupt
        return PointEnded(number, 0)

    with pytest.raises(KeyboardInterrupt):
        world.go(Scripted(interrupted))
    resumed = Scripted(well)
    assert states(world.go(resumed, resume=True)) == ["finished"] * 5
    assert resumed.started == [3, 4, 5]


def test_a_kill_leaves_a_running_point_that_is_run_again(world: World) -> None:
    world.go(Scripted(well))
    (journal,) = world.root.glob("sweeps/toy-*/points.jsonl")
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:3]) + lines[3][:20])
    resumed = Scripted(well)
    world.go(resumed, resume=True)
    assert resumed.started == [2, 3, 4, 5]


def test_points_of_another_machine_are_not_taken_for_this_ones(world: World) -> None:
    world.go(Scripted(well))
    (journal,) = world.root.glob("sweeps/toy-*/points.jsonl")
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert len({line["host"] for line in lines}) == 1
    merged = [{**line, "host": "elsewhere"} for line in lines[:4]] + lines[4:]
    journal.write_text("".join(json.dumps(line) + "\n" for line in merged))
    resumed = Scripted(well)
    assert states(world.go(resumed, resume=True)) == ["finished"] * 5 and resumed.started == [1, 2]
    with SweepJournal(journal.parent, world.file) as opened:
        assert opened.foreign == {"elsewhere": 2}


def test_too_many_failures_end_the_sweep_and_keep_what_ran(world: World) -> None:
    worker = Scripted(failing(0, 2))
    outcomes = world.go(worker, max_failures=2)
    assert states(outcomes) == ["failed", "finished", "failed"] and worker.started == [1, 2, 3]
    assert outcomes[0].error == "no Lean"


def test_two_processes_do_not_run_one_sweep(world: World) -> None:
    with (
        SweepJournal(sweep_folder(world.root, "toy", 1), world.file),
        pytest.raises(StoreError, match="another process"),
    ):
        world.go(Scripted(well))
    assert states(world.go(Scripted(well))) == ["finished"] * 5


def test_a_hopeless_point_is_stopped_and_counts_as_no_failure(world: World) -> None:
    stopping = world.file.read_text().replace(
        "method: grid", "method: grid\nmetric: {name: eval/smoke/pass_at_1}\n"
        "early_terminate: {type: hyperband, min_iter: 1}",
    )  # fmt: skip
    world.file.write_text(stopping)
    world.sweep = read_sweep(world.file)

    class Harsh:
        def __init__(self) -> None:
            self.inner = chooser(world.sweep, 0)
            self.next, self.told = self.inner.next, self.inner.told

        def hopeless(self, number: int, values: Sequence[float]) -> bool:
            return number == 1

    class Late(Scripted):
        def ended(self) -> Iterator[PointEnded]:
            if self.running[0] == 1 and not self.stopped:
                return
            yield from super().ended()

    worker = Late(lambda number: PointEnded(number, 130 if number == 1 else 0))
    outcomes = world.go(worker, Harsh(), max_failures=1)
    assert states(outcomes) == ["finished", "stopped", *["finished"] * 3] and worker.stopped == [1]


CURVES = """
name: toy
method: grid
metric: {name: curve/round_1__grpo/reward, goal: maximize}
early_terminate: {type: hyperband, min_iter: 2, eta: 2}
parameters:
  base: {value: embedded}
  grpo: {parameters: {kl: {values: [0.0, 0.1, 0.2]}}}
"""


def test_early_stops_go_by_the_curves_of_stages_that_are_being_made(world: World) -> None:
    world.file.write_text(CURVES)
    world.sweep = read_sweep(world.file)

    class Training(Scripted):
        """Every stage before is there; GRPO notes a reward that is worse for each point."""

        def start(self, task: PointTask) -> None:
            super().start(task)
            stages, _ = outline(plan(task.spec), [], world.root)
            for _, folder in stages[:-1]:
                (world.root / folder).mkdir(parents=True, exist_ok=True)
                facts = {"stage": "x", "metrics": {}, "seconds": 0}
                (world.root / folder / "stage.json").write_text(json.dumps(facts))
            grpo = partial(world.root / stages[-1][1])
            grpo.mkdir(parents=True)
            rewards = [{"step": n, "reward": 0.5 - task.number / 10} for n in (1, 2, 3, 4)]
            (grpo / "curve.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rewards))

        def ended(self) -> Iterator[PointEnded]:
            if len(self.running) == 3 and len(self.stopped) < 2:
                return
            yield from super().ended()

    worker = Training(lambda number: PointEnded(number, 130 if number else 0), slots=3)
    outcomes = world.go(worker)
    assert states(outcomes) == ["finished", "stopped", "stopped"] and worker.stopped == [1, 2]
    assert [outcome.value for outcome in outcomes] == [0.5, 0.4, 0.3]


def test_a_folder_is_named_by_the_sweep_whatever_it_is_called(tmp_path: Path) -> None:
    assert sweep_folder(tmp_path, "a / b: c", 1).name.startswith("a-b-c-")
    assert sweep_folder(tmp_path, "..", 1).name.startswith("sweep-")
    assert sweep_folder(tmp_path, "a", 1) != sweep_folder(tmp_path, "a", 2)
