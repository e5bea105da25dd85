"""What several commands share: the workshop, overrides, tables, JSON."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from typing import Any

from harness.analysis.runs import RunView
from harness.errors import SpecError, UserError
from harness.experiment.files import Overrides, setting
from harness.experiment.resources import Resources
from harness.terminal.progress import display
from harness.terminal.tables import aligned


def resources(args: argparse.Namespace) -> Resources:
    """The workshop over the runs folder that the command line names."""
    return Resources(args.runs, display(args.plain))


def overrides(args: argparse.Namespace) -> Overrides:
    """`--base` and `--set`. Raises `SpecError` for a setting that is no `key=value`."""
    read, wrong = [], []
    for text in args.settings:
        try:
            read.append(setting(text))
        except SpecError as error:
            wrong.append(str(error))
    if wrong:
        raise SpecError("\n".join(wrong))
    return Overrides(args.base, tuple(read))


def told_broken(lines: Sequence[str]) -> int:
    """Print what could not be read; the exit code that this gives a command."""
    for line in lines:
        print(f"harness: left out: {line}", file=sys.stderr)
    return 2 if lines else 0


def show_line(run: RunView, problem: str | None = None) -> str:
    """The command that looks into a run, as it can be given from this folder."""
    words = ["harness", "show", str(run.folder or run.name), *([] if problem is None else [problem])]
    return shlex.join(words)


def print_json(data: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Aligned columns under their names."""
    return "\n".join(aligned([header, *rows]))


def one_line(text: str) -> str:
    """White space squeezed."""
    return " ".join(text.split())


def need(value: bool, message: str) -> None:
    """Raise `UserError` with `message` unless `value` holds."""
    need_all((value, message))


def need_all(*checks: tuple[bool, str]) -> None:
    """Raise `UserError` with the message of every check that does not hold, one a line."""
    missed = [message for value, message in checks if not value]
    if missed:
        raise UserError("\n".join(missed))
