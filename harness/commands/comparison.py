"""`harness compare`: stored runs against each other, or checkpoints that are measured first."""

from __future__ import annotations

import argparse
import dataclasses
import fnmatch
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.analysis.comparable import mixed
from harness.analysis.compare import Comparison, adjust, compare, headline
from harness.analysis.comparison_tables import comparison_json, comparison_tables
from harness.analysis.runs import RunView, budget, find_runs, open_run, resolve
from harness.boards.comparison_page import ShownComparison
from harness.commands import common
from harness.commands.comparison_report import publish, write_page
from harness.commands.side_by_side import Weights, measured, refuse_options, weights
from harness.errors import UserError
from harness.paths import expanded
from harness.records.folder import PROBLEMS, RECORDS, SPEC
from harness.terminal.tables import show
from harness.tracking.fetching import records_of


@dataclass(frozen=True, slots=True)
class AskedSide:
    """One side as it was asked for, and its runs."""

    text: str
    runs: Sequence[RunView]


def main(args: argparse.Namespace) -> int:
    """Compare the sides and print who solves what, and every figure."""
    margin = args.margin
    common.need(margin is None or 0 < margin < 1, f"--margin {margin}: between 0 and 1, such as 0.02")
    sides = _sides(args)
    if sides is None:
        return 0
    _check_ks(args.k or (), [run for side in sides for run in side.runs])
    if not args.force:
        _check_settings(sides)
    ks = sorted(set(args.k)) if args.k else None
    pairs = list(itertools.combinations(sides, 2))
    if not args.every_pair:
        pairs = [(one, other) for one, other in pairs if one is sides[0]]
    found = adjust([_named(compare(a.runs, b.runs, ks, args.force), a, b) for a, b in pairs])
    shown = [ShownComparison(one, a.runs, b.runs) for one, (a, b) in zip(found, pairs, strict=True)]
    if args.json:
        told = [comparison_json(one, margin) for one in found]
        common.print_json(told[0] if len(told) == 1 else {"comparisons": told})
    else:
        for one in found:
            print(headline(one, margin))
            show(comparison_tables(one, margin), plain=args.plain or None)
    if args.html:
        write_page(shown, args)
    if args.wandb:
        publish(shown, args)
    worse = any(figure.verdict(margin) == "worse" for one in found for figure in one.figures)
    return 1 if args.fail_if_worse and worse else 0


def _check_settings(sides: Sequence[AskedSide]) -> None:
    """Raise `UserError` for a side whose runs differ in more than the seed: it is no setting."""
    for one in sides:
        told = mixed(one.runs)
        common.need(
            not told,
            f"{one.text}: {len(one.runs)} runs that differ in more than the seed ({', '.join(told)}): no "
            "setting to compare; name the seeds of one, or give --force",
        )


def _named(found: Comparison, a: AskedSide, b: AskedSide) -> Comparison:
    return dataclasses.replace(found, asked=(a.text, b.text))


def _sides(args: argparse.Namespace) -> list[AskedSide] | None:
    """What is compared; None after a dry run. Raises `UserError` for runs beside checkpoints."""
    texts = [args.a, args.b, *args.more]
    named = {text: None if _is_run(args.runs, text) else weights(args.runs, text) for text in texts}
    found: list[Weights] = [one for text in texts if (one := named[text]) is not None]
    if not found:
        refuse_options(args)
        return [AskedSide(text, side(args.runs, text)) for text in texts]
    runs = [text for text in texts if named[text] is None]
    common.need(
        not runs,
        f"{found[0].text} is a checkpoint and {', '.join(runs)} none: compare checkpoints with checkpoints "
        "(they are measured first), or runs with runs",
    )
    views = measured(args, found)
    return (
        None
        if views is None
        else [AskedSide(one.text, [view]) for one, view in zip(found, views, strict=True)]
    )


def _is_run(root: Path, text: str) -> bool:
    return any((at / SPEC).is_file() for at in (expanded(text), root / text))


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
    if Path(part).name == RECORDS:
        return [_of_records(expanded(part))]
    if _is_run(root, part):
        return [resolve(root, part)]
    if not any(sign in part for sign in "*?["):
        return [_named_or_in_wandb(root, part)]
    known = find_runs(root)
    matching = [folder for folder in known if fnmatch.fnmatchcase(folder.name, part)]
    if not matching:
        there = ", ".join(folder.name for folder in known[:5]) or "none"
        raise UserError(f"no run under {root} matches {part!r}; there are: {there}")
    return matching


def _named_or_in_wandb(root: Path, part: str) -> Path:
    """A run by its name or, where none has it, by the id of the W&B run that shows it."""
    try:
        return resolve(root, part)
    except UserError:
        found = records_of(root, part)
        if found is None:
            raise
        return found


def _of_records(path: Path) -> Path:
    """The run that a file of records belongs to: without what lies beside it nothing says what was owed."""
    for name in (RECORDS, SPEC, PROBLEMS):
        beside = "" if name == RECORDS else f" beside {path}: copy the run's whole folder"
        common.need((path.parent / name).is_file(), f"{path.parent / name}: no such file{beside}")
    return path.parent


def _check_ks(ks: Sequence[int], runs: Sequence[RunView]) -> None:
    for k in ks:
        common.need(k >= 1, f"-k {k}: must be at least 1")
        for run in runs:
            made = budget(run.spec).samples
            common.need(k <= made, f"-k {k}: {run.name} made {made} attempts a problem; ask for a smaller k")
