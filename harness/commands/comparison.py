"""`harness compare`: one side's stored runs against the other's."""

from __future__ import annotations

import argparse
import fnmatch
from collections.abc import Sequence
from pathlib import Path

from harness.analysis.compare import adjust, compare, headline
from harness.analysis.runs import RunView, budget, find_runs, open_run, resolve
from harness.analysis.tables import comparison_json, comparison_tables
from harness.commands import common
from harness.errors import UserError
from harness.paths import expanded
from harness.records.folder import SPEC
from harness.terminal.tables import show


def main(args: argparse.Namespace) -> int:
    """Compare the two sides and print who solves what, and every figure."""
    left, right = side(args.runs, args.a), side(args.runs, args.b)
    _check_ks(args.k or (), [*left, *right])
    margin = args.margin
    common.need(margin is None or 0 < margin < 1, f"--margin {margin}: between 0 and 1, such as 0.02")
    [found] = adjust([compare(left, right, sorted(set(args.k)) if args.k else None, args.force)])
    if args.json:
        common.print_json(comparison_json(found, margin))
    else:
        print(headline(found, margin))
        show(comparison_tables(found, margin), plain=args.plain or None)
    worse = any(figure.verdict(margin) == "worse" for figure in found.figures)
    return 1 if args.fail_if_worse and worse else 0


def side(root: Path, text: str) -> list[RunView]:
    """The runs that `text` names: names, prefixes, folders and patterns with `*` or `?`, between commas.

    A run named twice counts once. Raises `UserError` when a part names no run, or a prefix several.
    """
    folders: dict[Path, None] = {}
    for part in (part.strip() for part in text.split(",")):
        if part:
            folders.update(dict.fromkeys(folder.resolve() for folder in _folders(root, part)))
    common.need(bool(folders), f"{text!r} names no run; `harness runs` lists them")
    return [open_run(folder) for folder in folders]


def _folders(root: Path, part: str) -> list[Path]:
    if not any(sign in part for sign in "*?[") or any(
        (at / SPEC).is_file() for at in (expanded(part), root / part)
    ):
        return [resolve(root, part)]
    known = find_runs(root)
    matching = [folder for folder in known if fnmatch.fnmatchcase(folder.name, part)]
    if not matching:
        there = ", ".join(folder.name for folder in known[:5]) or "none"
        raise UserError(f"no run under {root} matches {part!r}; there are: {there}")
    return matching


def _check_ks(ks: Sequence[int], runs: Sequence[RunView]) -> None:
    for k in ks:
        common.need(k >= 1, f"-k {k}: must be at least 1")
        for run in runs:
            made = budget(run.spec).samples
            common.need(k <= made, f"-k {k}: {run.name} made {made} attempts a problem; ask for a smaller k")
