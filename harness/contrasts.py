"""The comparisons that a set of runs asks for: after training against before, with the value against without.

Pure. Runs that differ in nothing but their seed are pooled into one comparison.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.boards.settings import varying
from harness.runs import RunView, get

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Contrast:
    """B against A, each with its seeds."""

    title: str
    a: tuple[RunView, ...]
    b: tuple[RunView, ...]


def contrasts(runs: Sequence[RunView], chosen: Collection[str]) -> list[Contrast]:
    """Every comparison among `runs`; `chosen` names the searches whose alpha validation picked.

    - a trained generator against the warm start that it comes from: same prover, problems and alpha;
    - a guided search, with the chosen alpha or the only one, against log-probability alone: same generator,
      same problems.
    """
    tried = Counter(_guided(run) for run in runs)

    def stands(run: RunView) -> bool:
        return run.name in chosen or (_has_value(run) and tried[_guided(run)] == 1)

    trained = _pairs(runs, _is_trained, lambda run: not _is_trained(run), _task)
    picked = _pairs(runs, stands, _is_baseline, _models)
    return [
        *_titled("The trained generator (B) against its warm start (A)", trained),
        *_titled("Value-guided search (B) against log-probability alone (A)", picked),
    ]


def _titled(title: str, groups: Sequence[Sequence[tuple[RunView, RunView]]]) -> list[Contrast]:
    """The groups as contrasts; several are told apart by the settings in which their Bs differ."""
    found = []
    for pairs, settings in zip(groups, varying([pairs[0][1].spec for pairs in groups]), strict=True):
        told = ", ".join(f"{name}={value}" for name, value in settings.items())
        full = f"{title}: {told}" if told else title
        found.append(Contrast(full, tuple(a for a, _ in pairs), tuple(b for _, b in pairs)))
    return found


def _pairs(
    runs: Sequence[RunView],
    is_b: Callable[[RunView], bool],
    is_a: Callable[[RunView], bool],
    shared: Callable[[RunView], Key],
) -> list[list[tuple[RunView, RunView]]]:
    """(A, B) with equal `shared`, grouped by the settings of B apart from its seed."""
    known = {shared(run): run for run in runs if is_a(run)}
    groups: dict[str, list[tuple[RunView, RunView]]] = defaultdict(list)
    for run in runs:
        if is_b(run) and shared(run) in known:
            groups[_settings(run)].append((known[shared(run)], run))
    return list(groups.values())


def _is_trained(run: RunView) -> bool:
    return int(get(run.spec, "generator.rounds", 0)) > 0


def _is_baseline(run: RunView) -> bool:
    """Log-probability alone, as an evaluation of its own rather than a point of a sweep over alpha."""
    return get(run.spec, "search.alpha") == 1.0 and not _has_value(run)


def _has_value(run: RunView) -> bool:
    return get(run.spec, "value") is not None


def _task(run: RunView) -> Key:
    """What a warm start and its offspring share. Guided searches differ in their value model's use."""
    return (*_measure(run), get(run.spec, "search.alpha"))


def _models(run: RunView) -> Key:
    return (*_measure(run), get(run.spec, "generator.digest"))


def _guided(run: RunView) -> Key:
    """What the points of a sweep over alpha share."""
    return (_settings(run), *_models(run))


def _measure(run: RunView) -> Key:
    evaluation = get(run.spec, "evaluation", {})
    problems = json.dumps(evaluation.get("problems"), sort_keys=True)
    return (get(run.spec, "seed"), evaluation.get("prover"), problems, evaluation.get("samples"))


def _settings(run: RunView) -> str:
    """The settings without what a seed changes, and without alpha, which validation picks per seed."""
    spec = {key: value for key, value in run.spec.items() if key != "seed"}
    spec["generator"] = {"rounds": get(run.spec, "generator.rounds")}
    spec["value"] = _without(get(run.spec, "value") or {}, "digest")
    spec["search"] = _without(get(run.spec, "search") or {}, "alpha")
    return json.dumps(spec, sort_keys=True, default=str)


def _without(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != key}
