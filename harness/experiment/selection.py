"""Which problems an experiment trains and is measured on, and what its stages' digests need of them.

A sweep asks for the same thousands of problems at every point. What is computed from a set is remembered for
as long as the very same set is asked for, so planning another point costs milliseconds.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from harness.benchmarks import loading
from harness.errors import SpecError
from harness.spec import ProblemsSpec
from harness.types import Problem, content_hash

Problems = tuple[Problem, ...]
KEPT = 64
"""Results remembered of each kind."""

Function = TypeVar("Function", bound=Callable[..., Any])


def _remembered(function: Function) -> Function:
    """`function(problems, *more)`, computed once for each set (told by identity, kept alive) and `more`."""
    known: OrderedDict[tuple[Any, ...], tuple[Problems, Any]] = OrderedDict()

    def recall(problems: Problems, *more: Any) -> Any:
        key = (id(problems), *more)
        if key not in known:
            known[key] = problems, function(problems, *more)
            while len(known) > KEPT:
                known.popitem(last=False)
        return known[key][1]

    return recall  # type: ignore[return-value]


def select(spec: ProblemsSpec, seed: int = 0) -> Problems:
    """The problems that `spec` names. Raises `SpecError` when there is none, or no such split.

    `seed` draws the sample of `limit`. Evaluations keep the default whatever the experiment's seed, so that
    runs of different seeds are measured on the same theorems and can be compared.
    """
    problems = _up_to(loading.split_of(spec.benchmark, spec.split), spec.max_difficulty)
    if not problems:
        raise SpecError(
            f"{spec.benchmark}/{spec.split}: no problem of difficulty {spec.max_difficulty} or less; "
            "raise max_difficulty"
        )
    return problems if spec.limit is None else sample(problems, spec.limit, seed)


@_remembered
def _up_to(problems: Problems, difficulty: int | None) -> Problems:
    if difficulty is None:
        return problems
    return tuple(item for item in problems if item.difficulty is not None and item.difficulty <= difficulty)


@_remembered
def sample(problems: Problems, limit: int, seed: int) -> Problems:
    """`limit` of the problems, see `harness.benchmarks.loading.sample`."""
    return tuple(loading.sample(problems, limit, seed))


@_remembered
def revision_of(problems: Problems) -> str:
    """Content hash of the set, see `harness.benchmarks.loading.revision_of`."""
    return loading.revision_of(problems)


@_remembered
def problems_digest(problems: Problems) -> str:
    """Content hash over revisions and difficulties, in order: a stage may train on them in this order."""
    return content_hash([f"{item.id}:{item.revision}:{item.difficulty}" for item in problems])


@_remembered
def gold_digest(problems: Problems) -> str:
    """As `problems_digest`, with the gold proofs."""
    return content_hash([f"{item.id}:{item.revision}:{item.difficulty}:{item.gold}" for item in problems])


@_remembered
def statements(problems: Problems) -> Mapping[str, str]:
    """Id by statement (`harness.benchmarks.loading.statement_key`)."""
    return {loading.statement_key(problem): problem.id for problem in problems}
