"""The comparisons that a set of runs asks for: after training against before, with the value against without.

Pure. Runs that differ in nothing but their seed are pooled into one comparison.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.analysis.runs import RunView
from harness.analysis.settings import varying

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Contrast:
    """B against A, each with its seeds."""

    title: str
    a: tuple[RunView, ...]
    b: tuple[RunView, ...]


def contrasts(runs: Sequence[RunView], chosen: Collection[str]) -> list[Contrast]:
    """Every comparison among `runs`; `chosen` names the searches whose alpha validation picked.

    - a trained generator against the warm start that it comes from, all else equal;
    - a guided search, with the chosen alpha or the only one, against log-probability alone: the same
      generator, the same search but for alpha and the value.

    The order of `runs` is nothing. Evaluations that differ in their names alone count once.
    """
    ordered = sorted(runs, key=lambda run: run.name)
    tried = Counter(_guided(run) for run in ordered)

    def stands(run: RunView) -> bool:
        return run.name in chosen or (_has_value(run) and tried[_guided(run)] == 1)

    trained = _pairs(ordered, _is_trained, lambda run: not _is_trained(run), _task, _settings)
    picked = _pairs(ordered, stands, _is_baseline, _models, _settings_but_alpha)
    return [
        *_titled("The trained generator (B) against its warm start (A)", trained),
        *_titled("Value-guided search (B) against log-probability alone (A)", picked),
    ]


def _titled(title: str, groups: Sequence[Sequence[tuple[RunView, RunView]]]) -> list[Contrast]:
    """The groups as contrasts; several are told apart by the settings in which their Bs differ."""
    found = []
    told_apart = varying([_without(pairs[0][1].spec, "seed") for pairs in groups])
    for pairs, settings in zip(groups, told_apart, strict=True):
        told = ", ".join(f"{name}={value}" for name, value in settings.items())
        full = f"{title}: {told}" if told else title
        found.append(Contrast(full, tuple(a for a, _ in pairs), tuple(b for _, b in pairs)))
    return found


def _pairs(
    runs: Sequence[RunView],
    is_b: Callable[[RunView], bool],
    is_a: Callable[[RunView], bool],
    shared: Callable[[RunView], Key],
    settings: Callable[[RunView], Key],
) -> list[list[tuple[RunView, RunView]]]:
    """(A, B) with equal `shared`, grouped by the `settings` of B; a group holds a seed once, or is split."""
    known: dict[Key, RunView] = {}
    for run in runs:
        if is_a(run):
            known.setdefault(shared(run), run)
    groups: dict[Key, dict[Key, tuple[RunView, RunView]]] = defaultdict(dict)
    for run in runs:
        if is_b(run) and shared(run) in known:
            made_by = (run.get("seed"), run.get("generator.digest"), run.get("value.digest"))
            alpha = run.get("search.alpha")
            groups[settings(run)].setdefault((*made_by, alpha), (known[shared(run)], run))
    found: list[list[tuple[RunView, RunView]]] = []
    for group in groups.values():
        pairs = sorted(group.values(), key=lambda pair: int(pair[1].get("seed", 0)))
        seeds = {seed for seed, *_ in group}
        found += [pairs] if len(seeds) == len(group) else [[pair] for pair in pairs]
    return found


def _is_trained(run: RunView) -> bool:
    return int(run.get("generator.rounds", 0)) > 0


def _is_baseline(run: RunView) -> bool:
    """Log-probability alone."""
    return run.get("search.alpha") == 1.0 and not _has_value(run)


def _has_value(run: RunView) -> bool:
    return run.get("value") is not None


def _task(run: RunView) -> Key:
    """What a warm start and its offspring share: everything but the generator."""
    search = _text(run.get("search"))
    return (*_measure(run), search, run.get("value.digest"), run.get("generator.warm_start"))


def _models(run: RunView) -> Key:
    """What a guided search and its baseline share: everything but the value and its weight."""
    search = _without(run.get("search") or {}, "alpha", "value_scale")
    return (*_measure(run), _text(search), run.get("generator.digest"))


def _guided(run: RunView) -> Key:
    """What the points of a sweep over alpha share."""
    return (_settings_but_alpha(run), *_models(run), run.get("value.digest"))


def _measure(run: RunView) -> Key:
    """How a run is measured, its prover's own settings apart."""
    evaluation = run.get("evaluation", {})
    alike = [evaluation.get("problems"), run.get("whole_proof"), run.get("lean")]
    return (run.get("seed"), evaluation.get("prover"), evaluation.get("samples"), _text(alike))


def _settings(run: RunView) -> Key:
    """The settings without the run's name and what a seed changes."""
    spec = _without(run.spec, "seed")
    spec["evaluation"] = _without(run.get("evaluation") or {}, "name", "k")
    for model in ("generator", "value"):
        spec[model] = _without(run.get(model) or {}, "digest", "weights", "warm_start")
    return (_text(spec),)


def _settings_but_alpha(run: RunView) -> Key:
    """`_settings` without alpha, which validation picks per seed."""
    spec = {**run.spec, "search": _without(run.get("search") or {}, "alpha")}
    return _settings(dataclasses.replace(run, spec=spec))


def _text(data: Any) -> str:
    return json.dumps(data, sort_keys=True, default=str)


def _without(data: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in keys}
