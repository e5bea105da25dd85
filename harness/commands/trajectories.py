"""`harness data trajectories`: what was collected for a stage or run, counted, and as Parquet."""

from __future__ import annotations

import argparse
from typing import Any

from harness.commands import common
from harness.paths import expanded
from harness.terminal.tables import Column, Table, show
from trainers import collected


def main(args: argparse.Namespace) -> int:
    """Counts by round and kind, the split by theorem with its labels; `--parquet FILE` writes all states."""
    common.need(len(args.names) == 1, "data trajectories: name one RUN or training stage")
    found = collected.find(args.runs, args.names[0])
    states = found.states
    rounds, sides = collected.rounds(states), collected.sides(states, found.value, found.seed)
    if args.parquet:
        collected.write_parquet(expanded(args.parquet), states)
    if args.json:
        folders = [folder.name for folder in found.folders]
        common.print_json({"stages": folders, "gamma": found.value.gamma, "rounds": rounds, "split": sides})
        return 0
    names = ", ".join(folder.name for folder in found.folders)
    show([_rounds(names, rounds), _labels(sides, found.value.gamma)], plain=args.plain or None)
    if args.parquet:
        print(f"{len(states)} states in {args.parquet}")
    return 0


def _rounds(title: str, rows: list[dict[str, int]]) -> Table:
    columns = [Column(name, right=True) for name in rows[0]] if rows else [Column("round")]
    return Table(title, columns, [[str(count) for count in row.values()] for row in rows])


def _labels(sides: dict[str, dict[str, Any]], gamma: float) -> Table:
    rows = [
        [name, *(str(sides[side][name]) for side in sides)] for name in ("theorems", "states", "labelled")
    ]
    for place in range(collected.BINS):
        low, high = place / collected.BINS, (place + 1) / collected.BINS
        rows.append([f"label {low:.1f} to {high:.1f}", *(str(sides[s]["histogram"][place]) for s in sides)])
    columns = [Column("distinct states"), *(Column(side, right=True) for side in sides)]
    return Table(f"labels: {gamma:g} to the power of the tactics left; split by theorem", columns, rows)
