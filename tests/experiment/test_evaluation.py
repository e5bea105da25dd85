"""Measuring with services that fail or lie: no row without judged attempts, none after a proved canary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.audits.canaries import CanaryProved
from harness.errors import InfraError, ServiceDown, UserError
from harness.experiment.evaluation import evaluations
from harness.experiment.measure import Measured, measure
from harness.experiment.plan import plan
from harness.experiment.preview import preview
from harness.experiment.resources import Resources
from harness.experiment.spec import ExperimentSpec, build
from harness.protocols import Candidate
from harness.spec import LeanSpec
from harness.terminal.progress import Plain
from harness.tracking.trackers import NullTracker
from harness.types import Level, Status, Verdict


def spec(**runtime: Any) -> ExperimentSpec:
    data = {
        "name": "toy",
        "lean": {"service": "core", "level": "strict", "max_attempts": 2},
        "train": {"benchmark": "core-curriculum", "split": "train", "limit": 5},
        "rounds": 0,
        "search": {"alpha": 1.0, "expansions": 4, "tactic_calls": 100},
        "evaluations": [
            {
                "name": "floor",
                "prover": "portfolio",
                "problems": {"benchmark": "smoke", "split": "test", "limit": 6},
            }
        ],
        "runtime": runtime,
    }
    return build(data, "toy.yaml")


@dataclass
class Judge:
    """The embedded core's verifier, except that it fails or proves on demand."""

    inner: Any
    down: bool = False
    gullible: bool = False
    asked: list[str] = field(default_factory=list)

    async def check(self, candidates: Sequence[Candidate], level: Level) -> list[Verdict]:
        self.asked += [item.problem.id for item in candidates]
        if self.down:
            raise ServiceDown("gone")
        if self.gullible:
            return [Verdict(Status.PROVED, "ok", level=level, verifier="toy") for _ in candidates]
        return await self.inner.check(candidates, level)

    async def close(self) -> None:
        return None


@dataclass
class Services:
    verifier: Any
    sessions: Any

    async def close(self) -> None:
        return None


def measured(root: Path, made: ExperimentSpec, **judge: Any) -> Measured:
    def open_lean(lean: LeanSpec, cache: Path) -> Any:
        from harness.lean.services.opening import open_services

        core = open_services(lean, cache)
        return Services(Judge(core.verifier, **judge), core.sessions)

    (evaluation,) = evaluations(plan(made))
    return measure(evaluation, Resources(root, Plain(), open_lean), NullTracker())


def test_a_run_that_the_machine_failed_publishes_no_row_and_is_made_good_later(tmp_path: Path) -> None:
    with pytest.raises(InfraError, match=r"83.3% of the attempts are unscored.*no row is published.*gone"):
        measured(tmp_path, spec(), down=True)
    (folder,) = tmp_path.glob("toy.floor-*")
    assert (folder / "records.jsonl").is_file() and not (folder / "summary.json").exists()
    line = preview(spec(), tmp_path)[-1]
    assert line.state == "would resume" and line.why.endswith("of 6 are scored")
    again = measured(tmp_path, spec())
    assert preview(spec(), tmp_path)[-1].state == "cached"
    assert again.made > 0 and again.view.summary.unscored == 0
    assert again.view.summary.solved > 0
    fresh = measured(tmp_path / "fresh", spec()).view
    assert {(r.key, r.attempt.proof, r.verdict.status) for r in again.view.records} == {
        (r.key, r.attempt.proof, r.verdict.status) for r in fresh.records
    }


def test_a_run_that_grows_or_has_another_name_proves_nothing_again(tmp_path: Path) -> None:
    def asked(made: ExperimentSpec, **changes: Any) -> ExperimentSpec:
        return build({**made.model_dump(mode="json", exclude_unset=True), **changes}, "toy.yaml")

    def limited(limit: int, name: str = "floor") -> list[dict[str, Any]]:
        [first] = spec().model_dump(mode="json", exclude_unset=True)["evaluations"]
        return [{**first, "name": name, "problems": {**first["problems"], "limit": limit}}]

    assert measured(tmp_path, spec(canaries=1)).made == 7
    grown = measured(tmp_path, asked(spec(canaries=1), evaluations=limited(8)))
    assert grown.made == 2 + 1, "two problems and this run's own canary"
    renamed = measured(tmp_path, asked(spec(), name="other", evaluations=limited(8, "row")))
    assert renamed.made == 0 and len(renamed.view.records) == 8
    assert [item.get("of_run") for item in renamed.view.sessions].count(None) == 1
    fresh = measured(tmp_path / "fresh", asked(spec(), evaluations=limited(8))).view
    assert {(r.key, r.attempt.proof, r.attempt.seed) for r in fresh.records} == {
        (r.key, r.attempt.proof, r.attempt.seed) for r in renamed.view.records
    }
    assert measured(tmp_path, asked(spec(), seed=1)).made == 6


def test_a_runs_log_says_what_was_shown_and_why_it_ended(tmp_path: Path) -> None:
    with pytest.raises(InfraError):
        measured(tmp_path, spec(), down=True)
    (log,) = tmp_path.glob("toy.floor-*/logs/*.log")
    assert "floor ..." in log.read_text() and "unscored: ServiceDown: gone" in log.read_text()
    measured(tmp_path, spec())
    kept = len(list(tmp_path.glob("toy.floor-*/logs/*.log")))
    measured(tmp_path, spec())
    assert len(list(tmp_path.glob("toy.floor-*/logs/*.log"))) == kept, "looking at a complete run leaves none"


def test_another_k_makes_no_attempt_again(tmp_path: Path) -> None:
    first = measured(tmp_path, spec())
    (made,) = spec().evaluations
    other = spec().model_copy(update={"evaluations": (made.model_copy(update={"k": ()}),)})
    again = measured(tmp_path, other)
    assert again.made == 0 and again.view.name == first.view.name
    assert [item.k for item in again.view.summary.passes] == [1]


def test_an_allowed_share_of_unscored_attempts_is_shown_and_left_alone(tmp_path: Path) -> None:
    made = spec(max_unscored=1.0)
    view = measured(tmp_path, made, down=True).view
    assert view.summary.unscored > 0 and view.summary.unscored + view.summary.scored == 6
    assert measured(tmp_path, made).made == 0


def test_a_proved_canary_stops_the_run_now_and_on_every_later_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.provers.portfolio import Portfolio
    from harness.types import Attempt, Problem

    async def guess(self: Portfolio, problem: Problem, index: int, seed: int) -> Attempt:
        return Attempt(problem.id, index, seed, "trivial")

    monkeypatch.setattr(Portfolio, "attempt", guess)
    made = spec(canaries=2)
    with pytest.raises(CanaryProved):
        measured(tmp_path, made, gullible=True)
    with pytest.raises(CanaryProved):
        measured(tmp_path, made)
    (folder,) = tmp_path.glob("toy.floor-*")
    assert not (folder / "summary.json").exists()


def test_canaries_are_recorded_and_count_nowhere(tmp_path: Path) -> None:
    view = measured(tmp_path, spec(canaries=3)).view
    assert len(view.records) == 9
    assert (view.summary.problems, view.summary.owed, view.summary.canaries_proved) == (6, 6, 0)


def test_a_guided_search_without_a_value_model_is_the_users_mistake() -> None:
    data = spec().model_dump(mode="json")
    data["evaluations"][0]["prover"] = "best_first"
    data["search"]["alpha"] = 0.5
    with pytest.raises(
        UserError,
        match=r"floor: its prover asks the value model .* set search.alpha: 1",
    ):
        evaluations(plan(build(data, "toy.yaml")))
