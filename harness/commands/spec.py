"""`harness spec`: every key of an experiment file, or a schema of it for editors."""

from __future__ import annotations

import argparse
import dataclasses

from harness.commands import common
from harness.experiment.keys import Key, keys, schema


def main(args: argparse.Namespace) -> int:
    """Print the keys at and below KEY, or all of them; with --schema a JSON schema."""
    if args.schema:
        common.need(args.key is None, "--schema is of the whole file; drop KEY")
        common.print_json(schema())
        return 0
    found = keys(args.key or "")
    if args.json:
        common.print_json([dataclasses.asdict(key) for key in found])
        return 0
    for key in found:
        print(_head(key))
        print(f"    {key.help}")
    return 0


def _head(key: Key) -> str:
    default = f"default {key.default}" if key.default else "has to be given"
    parts = [key.type, key.unit, "" if key.type == "section" else default]
    only = f"only {key.only}" if key.only else ""
    return f"{key.name}  ({', '.join(part for part in [*parts, only] if part)})"
