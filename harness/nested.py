"""Plain nested data: how it is read from YAML, named by dotted keys, changed, told apart and hashed. Pure."""

from __future__ import annotations

import difflib
import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from harness.errors import SpecError

BYTE_ORDER_MARK = "\ufeff"
"""What some editors put before a file in UTF-8; no part of its text."""
MOST_VALUES = 1_000_000
"""Of one YAML file: eight short lines of aliases can stand for more than any memory holds."""
MOST_DEEP = 100
"""Levels of one YAML file."""
Origins = Sequence[tuple[str, str]]
"""(dotted key, what set it, as it is named in messages), in the order in which they were set."""


class _Loader(yaml.SafeLoader):
    """YAML in which, as in YAML 1.2, 1e-3 is a number and 2026-01-31 is text; a key stands once."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """A node; one inside of too many others is refused before the recursion is."""
        self.depth += 1
        if self.depth > MOST_DEEP:
            raise yaml.YAMLError("nested too deeply")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """A mapping as it is written, before `<<` merges others into it."""
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                if key.value in lines:
                    raise RepeatedYamlKey(
                        f"{key.value}: stands in line {lines[key.value]} and again in line {line}; keep one"
                    )
                lines[key.value] = line
        return node


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in known if tag != "tag:yaml.org,2002:timestamp"]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_EXPONENT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+$")
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _EXPONENT, list("-+.0123456789"))


class RepeatedYamlKey(yaml.YAMLError):
    """A YAML mapping names a key twice."""


def as_read(value: Any) -> Any:
    """`value` with texts such as `1e-4` as numbers: other readers of YAML hand these on as text."""
    if isinstance(value, str) and _EXPONENT.match(value):
        return float(value)
    if isinstance(value, Mapping):
        return {key: as_read(item) for key, item in value.items()}
    return [as_read(item) for item in value] if isinstance(value, list) else value


def parse_yaml(text: str) -> Any:
    """What `text` says as YAML: the one way in which files and --set are read. Raises `yaml.YAMLError`."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _size(node, {})
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Values in `node`, aliases written out. Raises `yaml.YAMLError` when they are more than anyone means."""
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = MOST_VALUES  # an alias inside of its own anchor never ends
    parts = [node.value] if isinstance(node, yaml.SequenceNode) else zip(*node.value, strict=True)
    inner = () if isinstance(node, yaml.ScalarNode) else itertools.chain.from_iterable(parts)
    size = 1 + sum(_size(part, known) for part in inner)
    if size > MOST_VALUES:
        raise yaml.YAMLError(f"with its aliases written out it holds more than {MOST_VALUES:,} values")
    known[id(node)] = size
    return size


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML mapping, or SpecError with file and line."""
    try:
        data = parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SpecError(f"{path}: not UTF-8 text: {error.reason}") from None
    except RepeatedYamlKey as error:
        raise SpecError(f"{path}: {error}") from None
    except yaml.YAMLError as error:
        raise SpecError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict):
        raise SpecError(f"{path}: must be a mapping of keys to values, not {type(data).__name__}")
    return data


def override(data: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    """`data` with the dotted `key` set to `value`; a nested mapping is laid over key by key.

    An item of a list that is there is named by its `name` or its number: `evaluations.search-test.k`,
    `evaluations.0.k`. Raises `SpecError` for one that is not.
    """
    head, _, rest = key.partition(".")
    result = dict(data)
    inner = result.get(head)
    if rest and isinstance(inner, list):
        result[head] = _override_item(inner, rest, value)
    elif rest:
        result[head] = override(inner if isinstance(inner, Mapping) else {}, rest, value)
    elif isinstance(value, Mapping) and isinstance(inner, Mapping | list):
        for name, item in value.items():
            result = override(result, f"{head}.{name}", item)
    else:
        result[head] = value
    return result


def _override_item(items: list[Any], key: str, value: Any) -> list[Any]:
    numbered = {str(number): item for number, item in enumerate(items)}
    named = {
        str(item["name"]): number
        for number, item in numbered.items()
        if isinstance(item, Mapping) and "name" in item
    }
    place, _, rest = key.partition(".")
    number = named.get(place, place)
    if number not in numbered:
        known = nearest(place, named) if named and not place.isdecimal() else "; count from 0"
        raise SpecError(
            f"no item {place!r} in this list of {len(items)}{known}, or give the whole list as [...]"
        )
    return list(override(numbered, f"{number}.{rest}" if rest else number, value).values())


def get(data: Mapping[str, Any], key: str, default: Any = None) -> Any:
    """The value of a dotted key of nested mappings, `default` when it is not there."""
    value: Any = data
    for part in key.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return default
        value = value[part]
    return value


def changed_keys(old: Any, new: Any, prefix: str = "") -> list[str]:
    """Dotted names of the keys whose values differ between two plain mappings."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        names = sorted({*old, *new})
        return [
            key
            for name in names
            for key in changed_keys(old.get(name), new.get(name), f"{prefix}.{name}" if prefix else str(name))
        ]
    return [] if old == new else [prefix]


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the closest known word, else the list of known ones."""
    words = sorted(known)
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; there are: {', '.join(words) or 'none'}"


def within(key: str, outer: str) -> bool:
    """Whether the dotted `key` is `outer` or lies inside it."""
    return key == outer or key.startswith(f"{outer}.")


def origin_of(key: str, origins: Origins, source: str) -> str:
    """What set the value at `key`; where only parts of it were set, these over the origin of the rest."""
    whole = source
    parts: list[str] = []
    for place, origin in origins:
        if within(key, place):
            whole, parts = origin, []
        elif within(place, key):
            parts.append(origin)
    return f"{' '.join(dict.fromkeys(parts))} over {whole}" if parts else whole


def digest(part: Any) -> str:
    """First 12 hex digits of the SHA-256 of `part` as canonical JSON; specs, dicts and lists of them."""
    return hashlib.sha256(json.dumps(_plain(part), sort_keys=True).encode()).hexdigest()[:12]


def _plain(part: Any) -> Any:
    if isinstance(part, BaseModel):
        return part.model_dump(mode="json")
    if isinstance(part, Mapping):
        return {str(key): _plain(value) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [_plain(value) for value in part]
    return part
