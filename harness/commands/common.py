"""What several commands share: the workshop, overrides, tables, JSON."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from harness.errors import UserError
from harness.experiments import Overrides, setting
from harness.figures import Summary
from harness.progress import display
from harness.runs import RunView
from harness.types import Estimate
from harness.workshop import Workshop


def workshop(args: argparse.Namespace) -> Workshop:
    """The workshop over the runs folder that the command line names."""
    return Workshop(args.runs, display(args.plain))


def overrides(args: argparse.Namespace) -> Overrides:
    """`--base` and `--set`. Raises `SpecError` for a setting that is no `key=value`."""
    return Overrides(args.base, tuple(setting(text) for text in args.settings))


def print_json(data: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Aligned columns, two blanks apart; never cut, so that pipes see all of it."""
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(header))]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    return "\n".join(text.rstrip() for text in texts)


def percent(estimate: Estimate) -> str:
    """`42.5 % [36.0, 49.1]`, `-` where undefined."""
    if estimate.value is None:
        return "-"
    text = f"{100 * estimate.value:.1f} %"
    if estimate.low is None or estimate.high is None:
        return text
    return f"{text} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def number(estimate: Estimate) -> str:
    """`12.4 [11.0, 13.9]`, `-` where undefined."""
    if estimate.value is None:
        return "-"
    text = f"{estimate.value:.2f}"
    if estimate.low is None or estimate.high is None:
        return text
    return f"{text} [{estimate.low:.2f}, {estimate.high:.2f}]"


HEADER = ("run", "problems", "solved", "pass@k", "nodes/proof", "expansions, failures at budget")


def result_row(view: RunView) -> list[str]:
    """One run for the table under `HEADER`."""
    summary: Summary = view.summary
    passes = ", ".join(f"@{item.k} {percent(item.estimate)}" for item in summary.passes)
    searched = summary.effort.expansions > 0
    return [
        view.name,
        str(summary.problems),
        str(summary.solved),
        passes,
        number(summary.nodes.mean) if searched else "",
        number(summary.nodes.censored) if searched else "",
    ]


def results(views: Sequence[RunView]) -> str:
    """Runs with their headline figures."""
    return table(HEADER, [result_row(view) for view in views])


def one_line(text: str) -> str:
    """White space squeezed."""
    return " ".join(text.split())


def need(value: bool, message: str) -> None:
    """Raise `UserError` with `message` unless `value` holds."""
    if not value:
        raise UserError(message)
