"""Every key of an experiment file with its type, default and help text, read off the specs. Pure."""

from __future__ import annotations

import json
import types
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from harness.errors import UserError
from harness.experiment.spec import EvaluationSpec, ExperimentSpec
from harness.nested import nearest
from harness.spec import kind_of, models_in

NAMED = "NAME"
"""Stands for the name of an item of a list."""
UNITS = {"_s": "seconds", "_mb": "MiB", "_gb": "GiB", "_tokens": "tokens"}
"""The end of a key's name tells its unit."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key."""

    name: str
    """Dotted; `NAME` where an item of a list is named."""
    type: str
    default: str
    """As YAML has it; empty when the key has to be given."""
    unit: str
    help: str
    only: str = ""
    """The kind of the section that takes it, where kinds differ."""


def keys(under: str = "") -> list[Key]:
    """Every key, or those at and below `under`. Raises `UserError` for a key that there is not."""
    found = _merged(_walk(ExperimentSpec, "", ""))
    wanted = [key for key in found if not under or key.name == under or key.name.startswith(f"{under}.")]
    if not wanted:
        raise UserError(f"{under}: no such key{nearest(under, {key.name for key in found})}")
    return wanted


def _merged(keys: Iterator[Key]) -> list[Key]:
    """Keys in their order; one that several kinds of a section take alike stands once and names them all."""
    kinds: dict[Key, list[str]] = {}
    for key in keys:
        kinds.setdefault(replace(key, only=""), []).append(key.only)
    return [replace(key, only=", ".join(name for name in only if name)) for key, only in kinds.items()]


def schema() -> dict[str, Any]:
    """JSON schema of a complete experiment file, for editors."""
    made = ExperimentSpec.model_json_schema()
    prover = made["$defs"]["EvaluationSpec"]["properties"]["prover"]
    kinds = [
        kind for one in models_in(EvaluationSpec.model_fields["prover"].annotation) if (kind := kind_of(one))
    ]
    # `prover: best_first` is short for `prover: {kind: best_first}`.
    prover["anyOf"] = [{"enum": kinds}, {"oneOf": prover.pop("oneOf")}]
    return {**made, "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Experiment"}


def _walk(model: type[BaseModel], prefix: str, only: str) -> Iterator[Key]:
    for name, field in model.model_fields.items():
        place = f"{prefix}{name}"
        inner = list(dict.fromkeys(models_in(field.annotation)))
        listed = get_origin(field.annotation) is tuple
        if inner:
            help_text = " ".join((field.description or inner[0].__doc__ or "").split())
            yield Key(place, _type(field.annotation), _default(field), "", help_text, only)
        else:
            help_text = " ".join((field.description or "").split())
            yield Key(place, _type(field.annotation), _default(field), _unit(name), help_text, only)
        for one in inner:
            below = f"{place}.{NAMED}." if listed else f"{place}."
            yield from _walk(one, below, (kind_of(one) or "") if len(inner) > 1 else only)


def _type(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation is type(None):
        return "null"
    if origin is Annotated:
        return _type(inner[0])
    if origin is Literal:
        return " | ".join(str(item) for item in inner)
    if origin in (Union, types.UnionType):
        return " | ".join(dict.fromkeys(_type(item) for item in inner))
    if origin is tuple:
        return f"list of {_type(inner[0])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    return {"str": "text", "int": "integer", "float": "number", "bool": "true | false"}.get(
        getattr(annotation, "__name__", ""), str(annotation)
    )


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "{}"
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def _unit(name: str) -> str:
    return next((unit for end, unit in UNITS.items() if name.endswith(end)), "")
