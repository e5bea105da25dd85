"""Answers from elsewhere become a run: judged as a model's are, journalled, resumed, with their provenance.

The run's spec says that its answers were given, by their digest; nothing of it says how they were made but
what the person who brought them states.
"""

from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import __version__
from harness.analysis.runs import RunView, open_run, summarize_run
from harness.analysis.settings import GIVEN
from harness.answers.given import GivenAnswers, read
from harness.answers.matching import Given
from harness.benchmarks.manifest import manifest
from harness.experiment.attempts import Work, run
from harness.experiment.measure import check_unscored
from harness.experiment.plan import lean_inputs
from harness.experiment.resources import Resources
from harness.experiment.reuse import complete_run
from harness.experiment.selection import Problems, revision_of
from harness.nested import digest
from harness.prompts.family import Family
from harness.records import provenance
from harness.records.store import RunStore
from harness.spec import LeanSpec, ProblemsSpec
from harness.terminal.log import Logged
from harness.terminal.progress import RunningTally
from harness.types import Level, ProblemRef, Record

MAX_UNSCORED = 0.02


@dataclass(frozen=True, slots=True)
class Judging:
    """Which answers are judged, on which problems, by what, and what is stated about them."""

    name: str
    given: Given
    asked: ProblemsSpec
    problems: Problems
    lean: LeanSpec
    k: tuple[int, ...] = (1,)
    family: Family | None = None
    """Whose answers they are to be read as; None: as `harness.answers.given.read` does."""
    max_tokens: int | None = None
    """What one attempt was allowed; None: not stated."""
    chosen_from: int | None = None
    """Attempts that each answer is the chosen one of; None: every attempt is there."""
    source: tuple[tuple[str, Any], ...] = ()
    """What provenance says of the file."""

    @property
    def run_spec(self) -> dict[str, Any]:
        """What the run's records depend on."""
        stated = {"max_tokens": self.max_tokens, "chosen_from": self.chosen_from}
        family = (
            {} if self.family is None else {"prompt": self.family.name, "prompt_digest": self.family.digest}
        )
        limits = {"level": "strict", "timeout_s": self.lean.timeout_s, "memory_mb": self.lean.memory_mb}
        compiled = {"judge": self.lean.judge} if self.lean.judge != "text" else {}
        return {
            "experiment": self.name,
            "evaluation": {
                "name": GIVEN,
                "prover": GIVEN,
                "samples": self.given.samples,
                "k": list(self.k),
                "problems": {**self.asked.model_dump(mode="json"), "revision": revision_of(self.problems)},
            },
            GIVEN: {"digest": self.given.digest, "missing": self.given.filled, **stated, **family},
            "lean": {**lean_inputs(self.lean), **limits, **compiled},
            "harness": {"version": __version__},
            **({"generator": {"model": self.given.model}} if self.given.model else {}),
        }

    def folder(self, root: Path) -> Path:
        """The run's folder: `<name>.answers-<digest8>`; which k are reported changes no record."""
        named = self.run_spec
        del named["evaluation"]["k"]
        return root / f"{self.name}.{GIVEN}-{digest(named)[:8]}"


def judge_answers(asked: Judging, resources: Resources) -> tuple[RunView, int]:
    """Judge what is not judged yet; the finished run, and how many answers were judged now.

    Raises `Unpublished` or `Unstated` when the machine failed too many (the records are kept), `StoreError`.
    """
    problems = {ProblemRef.of(item): item for item in asked.problems}
    folder = asked.folder(resources.root)
    view = complete_run(folder, asked.run_spec, list(problems))
    if view is not None and view.summary.unscored <= MAX_UNSCORED * view.summary.owed:
        resources.display.note(f"{folder.name}: judged already")
        return view, 0
    with RunStore.create_or_resume(
        folder, asked.run_spec, list(problems), _provenance(asked), resources.wait
    ) as store:
        again = store.unscored_share(asked.given.samples) > MAX_UNSCORED
        judged = _judge(asked, resources, store, again)
        check_unscored(store, MAX_UNSCORED, resources.display)
        store.finish(dataclasses.asdict(summarize_run(store.spec, store.problems, store.each())))
    return open_run(folder), judged


def _judge(asked: Judging, resources: Resources, store: RunStore, again: bool) -> int:
    left = len(store.owed(asked.given.samples, again))
    if not left:
        return 0
    keyed = {(problem.id, problem.revision): problem for problem in asked.problems}
    limits = (2 * asked.lean.workers, asked.lean.max_attempts)
    work = Work(keyed, asked.given.samples, 0, Level.STRICT, *limits, again)
    prover = GivenAnswers(asked.given.answers, read if asked.family is None else asked.family.read_proof)
    tally = RunningTally()
    with (
        Logged(resources.display, store.folder / "logs") as display,
        display.task(f"judging {asked.name}") as task,
    ):

        def report(record: Record) -> None:
            line = tally.add(record)
            if line is not None:
                display.note(line)
            task.update(tally.made, left, tally.figures)

        async def judge_all() -> int:
            async with resources.lean(asked.lean) as lean:
                return await run(work, prover, lean.verifier, store, report)

        return asyncio.run(judge_all())


def _provenance(asked: Judging) -> dict[str, Any]:
    benchmark = asked.asked.benchmark
    sources = provenance.Sources(
        benchmark, manifest(benchmark).revision, len(asked.problems), asked.problems[0].toolchain
    )
    return {**provenance.collect(sources), GIVEN: {**dict(asked.source), "model": asked.given.model}}
