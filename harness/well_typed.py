"""A dataclass out of a JSON object, whose values must be of the types that its fields say. Pure.

Files of a million records are read by it: a combination of classes found right once is not looked at again.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

Made = TypeVar("Made")


def typed(kind: type[Made], data: Mapping[str, Any]) -> Made:
    """`kind(**data)` for a dataclass. Raises TypeError when a value has not its field's type: JSON may hold
    anything, and "0" is another sample than 0."""
    if type(data) is not dict and not isinstance(data, Mapping):
        raise TypeError(f"{data!r} is no object with the fields of {kind.__name__}")
    shape = _Shape.of(cast(Any, kind))
    values = tuple(data.values())
    if tuple(data) == shape.names[: len(values)]:  # as `to_json` writes it
        made = kind(*values)
    else:
        made = kind(**data)
        values = shape.values(made)
    classes = tuple(map(type, values))
    if classes not in shape.right:  # a handful of combinations make up a file of a million records
        shape.check(classes, made)
    return made


@dataclass(frozen=True, slots=True)
class _Shape:
    """The classes that the fields of a dataclass may hold; a whole number is a number, True is none."""

    fields: Mapping[str, frozenset[type]]
    names: tuple[str, ...]
    values: Callable[[object], tuple[Any, ...]]
    right: set[tuple[type, ...]] = field(default_factory=set)
    """Combinations found to be right."""

    @staticmethod
    @functools.cache
    def of(kind: Any) -> _Shape:
        fields = {}
        for name, hint in get_type_hints(kind).items():
            parts = get_args(hint) if isinstance(hint, UnionType) else (hint,)
            kinds = {get_origin(part) or part for part in parts}
            fields[name] = frozenset(kinds | {int} if float in kinds else kinds)
        return _Shape(fields, tuple(fields), operator.attrgetter(*fields))

    def check(self, classes: tuple[type, ...], made: object) -> None:
        for (name, kinds), found in zip(self.fields.items(), classes, strict=False):  # the rest are defaults
            if found not in kinds:
                wanted = " or ".join(sorted(each.__name__ for each in kinds))
                raise TypeError(f"{name}: {getattr(made, name)!r} is no {wanted}")
        self.right.add(classes)
