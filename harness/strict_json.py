"""JSON as every file of facts is read: finite numbers, bounded nesting, and no key of an object twice.

JSON leaves open what a key that stands twice means, and readers take the last: an edited line would pass for
another fact. Pure.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any

from pydantic_core import from_json


class RepeatedKey(ValueError):
    """An object names a key twice."""


def parse(text: bytes) -> Any:
    """The JSON value that `text` is. Raises ValueError, also for NaN and a key that stands twice."""
    try:
        value = from_json(text, allow_inf_nan=False)
    except ValueError:  # what it refuses may be JSON all the same: half a surrogate pair, deep nesting
        return _slowly(text)
    # A colon follows every key. Where there are more of these than keys (a text may hold one too), and where
    # one stands apart from its key, only reading pair by pair can tell.
    if text.count(b'":') != _keys(value) or (_has_blanks(text) and _APART.search(text)):
        return _slowly(text)
    return value


def _has_blanks(text: bytes) -> bool:
    """Whether a colon may stand apart from its key: what can be told without looking at every quote."""
    one_line = b"\t" not in text and b"\r" not in text and b"\n" not in text[:-1]
    return not one_line or b'" :' in text or b'"  ' in text


_APART = re.compile(rb'"[ \t\r\n]+:')
_LOOKED_INTO = {dict, list, float}


def _keys(value: Any) -> int:
    """Keys of all the objects in a value; -1 or less where a number is too large for a double (1e999)."""
    if type(value) is float:
        return 0 if math.isfinite(value) else _NONE
    inner = value.values() if type(value) is dict else value if type(value) is list else ()
    found = len(value) if type(value) is dict else 0
    for item in inner:
        if type(item) in _LOOKED_INTO:
            found += _keys(item)
    return found


_NONE = -(10**12)


def _slowly(text: bytes) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number, parse_float=_as_float, object_pairs_hook=distinct)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def distinct(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these pairs (an `object_pairs_hook`). Raises `RepeatedKey`."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise RepeatedKey(f"key {key!r} stands twice in one object")
        found[key] = value
    return found


def _as_float(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no JSON number")


def why_not(error: Exception) -> str:
    """What is wrong with a text that could not be read, in one line for people."""
    return str(error) if isinstance(error, RepeatedKey) else f"not JSON ({str(error).splitlines()[0]})"
