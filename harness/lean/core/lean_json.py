"""JSON laid out as Lean prints it, so that a diff against real traffic shows content only."""

from __future__ import annotations

import json

_WIDTH = 80


def layout(value: object, indent: int = 0, column: int = 0, trailing: int = 0) -> str:
    """JSON as Lean prints it: keys in reverse alphabetical order, broken where a line passes 80 columns.

    `column` is where the text starts, `indent` the indentation of its further lines, `trailing` the width of
    what must follow on the last line.
    """
    flat = _flat(value)
    if column + len(flat) + trailing <= _WIDTH or not isinstance(value, (dict, list)) or not value:
        return flat
    inner = indent + 1
    parts: list[str] = []
    items = sorted(value.items(), reverse=True) if isinstance(value, dict) else [(None, v) for v in value]
    for i, (key, item) in enumerate(items):
        after = 1 if i + 1 < len(items) else 1 + trailing
        if key is None:
            parts.append(layout(item, inner, inner, after))
            continue
        head = f"{json.dumps(key, ensure_ascii=False)}:"
        flat = _flat(item)
        if inner + len(head) + 1 + len(flat) + after <= _WIDTH:
            parts.append(f"{head} {flat}")
        else:
            parts.append(f"{head}\n{' ' * inner}{layout(item, inner, inner, after)}")
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return opening + f",\n{' ' * inner}".join(parts) + closing


def _flat(value: object) -> str:
    if isinstance(value, dict):
        value = dict(sorted(value.items(), reverse=True))
        return (
            "{"
            + ", ".join(f"{json.dumps(k, ensure_ascii=False)}: {_flat(v)}" for k, v in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(_flat(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)
