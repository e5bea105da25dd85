"""Which settings set runs apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from harness.nested import digest, get
from harness.serving.weights import UNKNOWN

NOT_A_SETTING = ("experiment", "evaluation.name", "evaluation.problems", "evaluation.k", "runtime", "harness")
"""Spec keys that name or describe a run rather than set it apart."""

GIVEN = "answers"
"""The prover, and the section of the spec, of a run whose answers were generated elsewhere."""

_NOT_TOLD = ("generator.warm_start", "generator.weights", "value.weights")
"""Follow from other keys, on one machine."""


def fingerprint(spec: Mapping[str, Any], among: Sequence[str] = ()) -> str:
    """Digest of a spec's settings without those of `among`, names and problems."""
    left_out = (*NOT_A_SETTING, *among)
    # A row that never asks the value model (alpha 1) still competes with those that do.
    value_free = {"value"} if "search.alpha" in among else set()
    kept = {
        key: value
        for key, value in flatten(spec).items()
        if not any(key == name or key.startswith(f"{name}.") for name in (*left_out, *value_free))
        and not (value_free and key == "search.value_scale")
    }
    return digest(kept)


SEEDED = ("seed", "generator.warm_start", "generator.weights", "value.digest", "value.weights")
"""What differs between the seeds of one setting; the digest of a generator that was trained here too."""


TRAINING = ("improve", "grpo", "expert_iteration")
"""Sections of the spec that a warm start does not have."""


def setting(spec: Mapping[str, Any], among: Sequence[str] = ()) -> str:
    """Digest of a spec's settings without its seed and those of `among`: the seeds of a setting share it."""
    seeded = [key for key in SEEDED if key != "generator.warm_start" or not given_models(spec)]
    trained = int(get(spec, "generator.rounds") or 0) > 0 or not given_models(spec)
    return fingerprint(spec, (*seeded, *(["generator.digest"] if trained else []), *among))


_OF_GIVEN = frozenset({"digest", "warm_start", "rounds", "weights", "prompt", "served"})


def given_models(spec: Mapping[str, Any]) -> bool:
    """Whether the generator, or the one that its rounds began with, was named by its files: the digest of
    these is all that the spec knows of it, and no seed changes it."""
    generator = spec.get("generator")
    return isinstance(generator, Mapping) and not set(generator) - _OF_GIVEN


def unknown_weights(spec: Mapping[str, Any]) -> bool:
    """Whether a server's word is all that says which weights were asked: no revision was stated."""
    served = [get(spec, role) for role in ("generator", "value", "generator.retrieval.encoder")]
    return any(
        isinstance(model, Mapping)
        and model.get("kind") in ("server", "steps")
        and model.get("revision") in (None, UNKNOWN)
        for model in served
    )


def flatten(spec: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted keys of nested mappings."""
    flat: dict[str, Any] = {}
    for key, value in spec.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        flat |= flatten(value, name) if isinstance(value, Mapping) else {name: value}
    return flat


def differing(specs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Per spec the settings in which these specs differ, by their dotted keys, digests included."""
    flats = [flatten(spec) for spec in specs]
    values: dict[str, set[str]] = {}
    for flat in flats:
        for key, value in flat.items():
            values.setdefault(key, set()).add(repr(value))
    keys = [
        key
        for key in sorted(values)
        if len(values[key]) > 1
        and not any(key == name or key.startswith(f"{name}.") for name in (*NOT_A_SETTING, *_NOT_TOLD))
    ]
    return [{key: flat[key] for key in keys if key in flat} for flat in flats]


def varying(specs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Per spec the settings in which these specs differ, by their shortest name that is not ambiguous.

    Digests of models are told only where nothing else sets two specs apart.
    """
    flats = differing(specs)
    keys = list(dict.fromkeys(key for flat in flats for key in flat))
    told = _told(flats, sorted(key for key in keys if not key.endswith("digest")))
    models = _told(flats, sorted(key for key in keys if key.endswith("digest")))
    alike = Counter(repr(settings) for settings in told)
    return [
        {**settings, **digests} if alike[repr(settings)] > 1 else settings
        for settings, digests in zip(told, models, strict=True)
    ]


def _told(flats: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> list[dict[str, Any]]:
    ends = [key.rsplit(".", 1)[-1] for key in keys]
    short = {key: end if ends.count(end) == 1 else key for key, end in zip(keys, ends, strict=True)}
    return [{short[key]: flat[key] for key in keys if key in flat} for flat in flats]
