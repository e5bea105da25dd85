"""What a person would call a run: `alpha 0.25, GRPO kl 0, seed 0`. Pure.

A name tells what was proved with (alpha, or the kind of prover), what trained the generator, and whatever
else sets a run apart from those shown beside it. A digest stands in a name only where nothing else does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.analysis.settings import GIVEN, differing, flatten, given_models
from harness.nested import get

METHODS = {"grpo": "GRPO", "expert_iteration": "expert iteration"}
_SECTIONS = {"grpo": "GRPO", "value": "value model", "generator": "generator", "lean": "Lean"}
"""How the section of a key is spoken where the key alone would not be understood; the others are silent."""

_SPOKEN: Mapping[str, Callable[[Any], str]] = {
    "value.gamma": lambda value: f"gamma {plain(value)}",
    "evaluation.samples": lambda value: f"{plain(value)} sample{'' if value == 1 else 's'}",
    "search.expansions": lambda value: f"{plain(value)} expansions",
    "search.tactic_calls": lambda value: f"{plain(value)} tactic calls",
    "generator.rounds": lambda value: f"round {plain(value)}",
}
_TOLD_ALREADY = (
    "search.alpha",
    "seed",
    "improve.method",
    "evaluation.prover",
    "evaluation.generator",
    "grpo.kl",
)


def names(specs: Sequence[Mapping[str, Any]], seeds: Sequence[int]) -> list[str]:
    """A name for each spec among the others; `seeds` counts the seeds that each stands for."""
    told = [_of_rounds(settings, specs) for settings in differing(specs)]
    found = [name(spec, settings, count) for spec, settings, count in zip(specs, told, seeds, strict=True)]
    places = [
        (get(spec, "evaluation.problems.benchmark"), get(spec, "evaluation.problems.split")) for spec in specs
    ]
    for tell in (_experiment, _evaluation, _digests):
        more = [tell(spec) for spec in specs]
        # The same setting on another split is told by its split.
        said: dict[Any, set[str]] = defaultdict(set)
        for one, place, words in zip(found, places, more, strict=True):
            said[one, place].add(words)
        found = [
            f"{one}, {words}" if words and len(said[one, place]) > 1 else one
            for one, place, words in zip(found, places, more, strict=True)
        ]
    return found


def _of_rounds(settings: Mapping[str, Any], specs: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The settings without the round where its method says as much: a warm start, or the only round."""
    key = "generator.rounds"
    several = len({get(spec, key, 0) for spec in specs} - {0}) > 1
    return settings if several and settings.get(key) else {k: v for k, v in settings.items() if k != key}


def name(spec: Mapping[str, Any], settings: Mapping[str, Any], seeds: int = 1) -> str:
    """The name of one spec; `settings` are the dotted keys that set it apart from others."""
    parts = [_prover(spec), _training(spec)]
    for key, value in settings.items():
        if key not in _TOLD_ALREADY and not key.endswith("digest"):
            parts.append(_spoken(key, value))
    if seeds > 1 or get(spec, "evaluation.prover") != GIVEN:  # what seeds those had nobody knows
        parts.append(f"{seeds} seeds" if seeds > 1 else f"seed {plain(get(spec, 'seed', 0))}")
    return ", ".join(part for part in parts if part)


def plain(value: Any) -> str:
    """A setting's value as a person writes it."""
    if isinstance(value, bool) or value is None:
        return {True: "on", False: "off", None: "none"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _prover(spec: Mapping[str, Any]) -> str:
    kind = str(get(spec, "evaluation.prover", ""))
    if kind == GIVEN:
        return "answers from elsewhere"
    alpha = get(spec, "search.alpha")
    if kind in ("", "best_first") and alpha is not None:
        return f"alpha {plain(alpha)}"
    searched = f" alpha {plain(alpha)}" if alpha is not None and kind != "portfolio" else ""
    return kind.replace("_", " ") + searched


def _training(spec: Mapping[str, Any]) -> str:
    """How the generator was trained, or where it comes from."""
    generator = get(spec, "generator", {})
    method = str(get(spec, "improve.method", ""))
    if method in METHODS and int(generator.get("rounds", 0)):
        kl = get(spec, f"{method}.kl")
        return METHODS[method] + ("" if kl is None else f" kl {plain(kl)}")
    for key in ("model", "checkpoint"):
        if isinstance(generator.get(key), str):
            return str(generator[key]).rstrip("/").rsplit("/", 1)[-1]
    if generator and given_models(spec):
        # A folder of plain weights has no name in the spec; one that is asked by a family is no warm start.
        return "as given" if "prompt" in generator else ""
    return "warm start" if generator else ""


def _spoken(key: str, value: Any) -> str:
    if key in _SPOKEN:
        return _SPOKEN[key](value)
    section, _, last = key.rpartition(".")
    words = [_SECTIONS.get(section.split(".")[0], ""), last.replace("_", " "), plain(value)]
    return " ".join(word for word in words if word)


def _experiment(spec: Mapping[str, Any]) -> str:
    return str(spec.get("experiment") or "")


def _evaluation(spec: Mapping[str, Any]) -> str:
    return str(get(spec, "evaluation.name") or "")


def _digests(spec: Mapping[str, Any]) -> str:
    digests = {key: value for key, value in flatten(spec).items() if key.endswith(".digest")}
    return " ".join(f"{key.rsplit('.', 1)[0]} {value}" for key, value in sorted(digests.items()))
