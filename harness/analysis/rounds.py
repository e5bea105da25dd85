"""What a training keeps from round to round: stability and backward transfer. Pure but for `history`.

Rounds are compared on the same held-out theorems, searched or sampled in the same way. With s(r) the theorems
proved after round r, in at least one attempt:

stability          |s(r) and s(r + 1)| / |s(r)|: what of it the next round still proves
backward transfer  mean over the rounds r before the last, R, of (|s(R)| - |s(r)|) / n (Lopez-Paz and Ranzato
                   2017, arXiv 1706.08840, eq. 3; the theorems of every round are the same n)
forgotten          theorems proved after some round and not after the last (Chaudhry et al. 2018, arXiv
                   1801.10112, eq. 3, with one theorem a task)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.analysis import intervals
from harness.analysis.metrics import Tally, tally
from harness.analysis.runs import RunView, find_runs, open_run
from harness.analysis.settings import NOT_A_SETTING, TRAINING, flatten
from harness.errors import UserError
from harness.nested import digest, get
from harness.records.folder import SPEC
from harness.records.journal import read_json
from harness.types import Estimate

_OF_A_ROUND = (
    *NOT_A_SETTING,
    *("generator.rounds", "generator.digest", "generator.weights", "value.digest", "value.weights"),
    "evaluation.generator",
)
"""Keys that may differ between the rounds of one training."""


@dataclass(frozen=True, slots=True)
class RoundStep:
    """From the models of one round to those of a later one, on theorems that both have been tried on."""

    before: int
    """Rounds done; 0: the warm start."""
    after: int
    problems: int
    proved_before: int
    proved_after: int
    kept: int

    @property
    def lost(self) -> int:
        """Proved before and not after."""
        return self.proved_before - self.kept

    @property
    def gained(self) -> int:
        """Proved after and not before."""
        return self.proved_after - self.kept

    @property
    def stability(self) -> float | None:
        """Share of what was proved before that still is; None where nothing was."""
        return self.kept / self.proved_before if self.proved_before else None


@dataclass(frozen=True, slots=True)
class Transfer:
    """A training round after round."""

    steps: tuple[RoundStep, ...]
    backward: Estimate
    """Backward transfer, in [-1, 1], with a 95 % interval over theorems."""
    forgotten: int
    ever: int
    """Theorems proved after at least one of the rounds."""


def history(root: Path, run: RunView) -> list[RunView]:
    """The runs under `root` that measured this training after its rounds, `run` among them, in their order.

    A warm start's run belongs to every training that began with it, where the search asked no value model; of
    several runs after the same round the first by name counts.
    """
    wanted = _training(run.spec)
    if wanted is None:
        return [run]
    found: dict[int, RunView] = {_rounds(run.spec): run}
    for folder in find_runs(root):
        with suppress(UserError):
            spec = read_json(folder / SPEC)
            if isinstance(spec, dict) and _rounds(spec) not in found and _belongs(spec, run.spec, wanted):
                found[_rounds(spec)] = open_run(folder)
    return [found[number] for number in sorted(found)]


def transfer(runs: Sequence[RunView]) -> Transfer | None:
    """How the rounds of a training followed each other; None for fewer than two.

    Only theorems scored after every one of the rounds count.
    """
    proved = [_proved(run) for run in runs]
    common = sorted(set.intersection(*(set(one) for one in proved))) if proved else []
    if len(runs) < 2 or not common:
        return None
    numbers = [_rounds(run.spec) for run in runs]
    steps = [
        _step(numbers[at], numbers[at + 1], [(proved[at][key], proved[at + 1][key]) for key in common])
        for at in range(len(runs) - 1)
    ]
    last, earlier = proved[-1], proved[:-1]
    moved = [float(last[key]) - sum(one[key] for one in earlier) / len(earlier) for key in common]
    low, high = intervals.difference(moved)
    ever = [key for key in common if any(one[key] for one in proved)]
    backward = Estimate(sum(moved) / len(moved), low, high, len(moved), 0)
    return Transfer(tuple(steps), backward, sum(not last[key] for key in ever), len(ever))


def _step(before: int, after: int, pairs: Iterable[tuple[bool, bool]]) -> RoundStep:
    told = list(pairs)
    kept = sum(one and two for one, two in told)
    return RoundStep(before, after, len(told), sum(one for one, _ in told), sum(two for _, two in told), kept)


def _proved(run: RunView) -> dict[tuple[str, str], bool]:
    """By theorem whether it was proved in at least one attempt; those that were not scored are left out."""
    tallies: list[Tally] = tally(run.problems, run.records, int(run.get("evaluation.samples", 1)))
    return {one.problem.key: one.proved > 0 for one in tallies if not one.problem.canary and one.scored}


def _rounds(spec: Mapping[str, Any]) -> int:
    return int(get(spec, "generator.rounds", 0))


def _training(spec: Mapping[str, Any]) -> str | None:
    """What all rounds of a training share; None for what is no training of rounds."""
    if not _rounds(spec) or get(spec, "generator.warm_start") is None:
        return None
    return digest(_shared(spec, ()))


def _shared(spec: Mapping[str, Any], without: Sequence[str]) -> dict[str, Any]:
    left_out = (*_OF_A_ROUND, *without)
    flat = flatten(spec)
    kept = {
        key: value
        for key, value in flat.items()
        if not any(key == name or key.startswith(f"{name}.") for name in left_out)
    }
    # An experiment of another name may have trained otherwise, in what no run tells.
    return kept | {key: flat[key] for key in flat if key.startswith(("experiment", "evaluation.problems."))}


def _belongs(spec: Mapping[str, Any], of: Mapping[str, Any], wanted: str) -> bool:
    if _rounds(spec):
        return _training(spec) == wanted
    return "generator" in spec and digest(_shared(spec, TRAINING)) == digest(_shared(of, TRAINING))
