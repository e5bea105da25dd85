"""Which point of a sweep comes next: from a list, or from what the points before it gave (with optuna)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from harness import extras
from harness.errors import SpecError
from harness.experiment import parameters
from harness.experiment.early_stop import EarlyStop
from harness.experiment.parameters import Parameter
from harness.experiment.sweep import Path_, Point, Sweep, nest, points

EXTRA = "sweep"


class Chooser(Protocol):
    """Hands out points and hears how they went. A point is known by its number, from 0."""

    def next(self) -> tuple[int, Point] | None:
        """The next point; None when there is no other."""
        ...

    def told(self, number: int, value: float | None) -> None:
        """A point has ended with this metric; None when it has none."""
        ...

    def hopeless(self, number: int, values: Sequence[float]) -> bool:
        """Whether a point whose metric went like this so far is to be stopped early."""
        ...


def chooser(sweep: Sweep, seed: int) -> Chooser:
    """As the sweep file asks. Raises `SpecError` for a range that bayes cannot search, `MissingExtra`."""
    if sweep.method != "bayes" and sweep.stop is None:
        return Listed(points(sweep, seed))
    return Optuna(sweep, seed)


class Listed:
    """Points in their order, whatever they give."""

    def __init__(self, found: Sequence[Point]) -> None:
        """`found` is asked for one point after the other."""
        self._found = found
        self._given = 0

    def next(self) -> tuple[int, Point] | None:
        """The next of the list."""
        if self._given >= len(self._found):
            return None
        self._given += 1
        return self._given - 1, self._found[self._given - 1]

    def told(self, number: int, value: float | None) -> None:
        """Nothing follows from it."""

    def hopeless(self, number: int, values: Sequence[float]) -> bool:
        """Never."""
        return False


class Optuna:
    """Tree-structured Parzen estimators choose (for bayes), successive halving stops (for hyperband)."""

    def __init__(self, sweep: Sweep, seed: int) -> None:
        """Raises `SpecError` for a range that bayes cannot search, `MissingExtra` without optuna."""
        extras.need(EXTRA)
        import optuna

        self._optuna: Any = optuna
        self._optuna.logging.set_verbosity(self._optuna.logging.ERROR)
        self._sweep = sweep
        bayes = sweep.method == "bayes"
        self._space = (
            {place: self._axis(place, leaf) for place, leaf in sweep.leaves.items()} if bayes else {}
        )
        self._listed = None if bayes else points(sweep, seed)
        self._study = self._optuna.create_study(
            direction=sweep.goal,
            sampler=self._optuna.samplers.TPESampler(seed=seed),
            pruner=self._pruner(sweep.stop),
        )
        self._trials: dict[int, Any] = {}
        self._seen: dict[int, int] = {}

    def next(self) -> tuple[int, Point] | None:
        """The most promising point, or the next of the list."""
        number = len(self._trials)
        most = self._sweep.run_cap if self._listed is None else len(self._listed)
        if most is not None and number >= most:
            return None
        axes = {".".join(place): axis for place, (axis, _) in self._space.items() if axis is not None}
        trial = self._trials[number] = self._study.ask(axes)
        if self._listed is not None:
            return number, self._listed[number]
        values = [
            (place, read(trial.params.get(".".join(place)))) for place, (_, read) in self._space.items()
        ]
        return number, nest(values)

    def told(self, number: int, value: float | None) -> None:
        """What the point gave; one without a value teaches nothing."""
        failed = self._optuna.trial.TrialState.FAIL
        self._study.tell(self._trials[number], value, state=failed if value is None else None)

    def hopeless(self, number: int, values: Sequence[float]) -> bool:
        """As the pruner says of the new values, one after the other."""
        trial, seen = self._trials[number], self._seen.get(number, 0)
        for step, value in enumerate(values[seen:], seen + 1):
            self._seen[number] = step
            trial.report(value, step)
            if trial.should_prune():
                return True
        return False

    def _pruner(self, stop: EarlyStop | None) -> Any:
        pruners = self._optuna.pruners
        if stop is None:
            return pruners.NopPruner()
        return pruners.SuccessiveHalvingPruner(min_resource=stop.first, reduction_factor=stop.eta)

    def _axis(self, place: Path_, leaf: Parameter) -> tuple[Any, Any]:
        """What optuna chooses from, None where there is no choice, and how the value is had from it."""
        make = self._optuna.distributions
        if "value" in leaf:
            return None, lambda _: leaf["value"]
        if "values" in leaf:
            values = list(leaf["values"])
            # By place: optuna takes no lists or mappings as choices, and for it True and 1 are the same.
            return make.CategoricalDistribution(tuple(range(len(values)))), values.__getitem__
        kind, low, high = parameters.distribution(leaf), leaf.get("min"), leaf.get("max")
        step = leaf.get("q")
        ranges: Mapping[str, Any] = {
            "int_uniform": lambda: make.IntDistribution(low, high),
            "uniform": lambda: make.FloatDistribution(low, high),
            "q_uniform": lambda: make.FloatDistribution(low, high, step=step or 1),
            "log_uniform_values": lambda: make.FloatDistribution(low, high, log=True),
        }
        if kind not in ranges:
            raise SpecError(
                f"{self._sweep.path}: parameters.{'.'.join(place)}: bayes does not search {kind}; use one of "
                f"{', '.join(ranges)}, or set method: random"
            )
        return ranges[kind](), lambda drawn: drawn
