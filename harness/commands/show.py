"""`harness show`: a run problem by problem, a problem with its proof and evidence, or a training curve."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.analysis.contributions import Contributions
from harness.analysis.naming import names
from harness.analysis.rounds import Transfer, history, transfer
from harness.analysis.runs import RunView, open_run, resolve
from harness.analysis.summary import Contribution
from harness.analysis.tables import runs_table
from harness.boards.curves import curve_charts, curve_table
from harness.boards.details import run_details, texts
from harness.boards.page import problem_texts
from harness.boards.tree_picture import lines as tree_lines
from harness.commands import common
from harness.errors import UserError
from harness.nested import nearest
from harness.provers import stored_tree
from harness.records.stages import curve, facts, partial
from harness.terminal.streams import printable
from harness.terminal.tables import Column, Table, percent, show, with_interval

FAILED_SHOWN = 3
"""Failed attempts at a problem that are printed without `--all`."""
BRANCHES_SHOWN = 24
"""States of a search tree that are printed."""


def main(args: argparse.Namespace) -> int:
    """Show what is stored under a name."""
    stage = _stage(args.runs, args.name)
    if stage is not None:
        return _show_stage(args, stage)
    run = open_run(resolve(args.runs, args.name))
    details = run_details(run, names([run.spec], [1])[0])
    if args.problem is not None:
        return _show_problem(args, run, details)
    moved = transfer(history(args.runs, run))
    if args.json:
        common.print_json({**details, "rounds": None if moved is None else dataclasses.asdict(moved)})
        return 0
    tables = [runs_table([run]), *([] if moved is None else [_rounds_table(moved)])]
    if run.get("evaluation.prover") == "union":
        tables.append(_union_table(run.summary.union or Contributions().each()))
    show([*tables, _problems_table(run, details, args.status)], plain=args.plain or None)
    return 0


def _union_table(union: Sequence[Contribution]) -> Table:
    """What each of the two provers adds."""
    rows = [
        [one.side, one.prover or "-", str(one.problems), str(one.only), str(one.attempts)] for one in union
    ]
    columns = [
        Column("prover"),
        Column("kind"),
        *(Column(name, True) for name in ("proves", "alone", "proofs")),
    ]
    return Table("What each prover of the union adds, problems", columns, rows)


def _stage(root: Path, name: str) -> Path | None:
    """The folder of the training stage that `name` names, finished or not; None where it names none."""
    folder, name = root / "stages", name.removesuffix(".partial")
    known = {path.name.removesuffix(".partial"): path for path in sorted(folder.glob("*-*")) if path.is_dir()}
    matching = [stage for stage in known if stage == name or (stage.startswith(name) and "-" in name)]
    return folder / matching[0] if len(matching) == 1 else None


def _show_stage(args: argparse.Namespace, folder: Path) -> int:
    rows = curve(folder)
    if args.json:
        common.print_json([dict(row) for row in rows])
        return 0
    state = "" if folder.is_dir() else f", not finished ({partial(folder).name})"
    tables = [curve_table(f"{folder.name}{state}", rows), *_figures_table(folder)]
    show(tables, plain=args.plain or None)
    if args.charts:
        from harness.boards.charts import drawn

        written = drawn(curve_charts(folder.name, rows), Path(args.charts), args.format or ["svg"])
        print(f"harness: {len(written)} charts in {Path(args.charts).resolve()}")
    return 0


def _figures_table(folder: Path) -> list[Table]:
    """What a finished stage reported; beside a figure the same of the round before, where it was taken."""
    stored = facts(folder)
    if stored is None:
        return []
    figures = {key: value for key, value in stored["metrics"].items() if isinstance(value, int | float)}
    rows = [
        [key, f"{value:.6g}", f"{figures[before]:.6g}" if (before := f"{key}_before") in figures else "-"]
        for key, value in figures.items()
        if not key.endswith("_before")
    ]
    columns = [Column("figure"), Column("value", True), Column("round before", True)]
    return [Table("Figures at the end", columns, rows)]


def _rounds_table(moved: Transfer) -> Table:
    """What the training kept, lost and gained on these theorems from round to round."""
    columns = [Column("after round"), *(Column(name, True) for name in ("proved", "kept", "lost", "gained"))]
    columns.append(Column("stability %", True))
    first = moved.steps[0]
    rows = [[_round(first.before), str(first.proved_before), "-", "-", "-", "-"]]
    for step in moved.steps:
        counts = [str(count) for count in (step.proved_after, step.kept, step.lost, step.gained)]
        stable = "-" if step.stability is None else percent(step.stability)
        rows.append([_round(step.after), *counts, stable])
    backward = with_interval(moved.backward, share=True, sign=True)
    notes = [
        f"backward transfer {backward} points; of {moved.ever} theorems ever proved {moved.forgotten} are "
        "not after the last round"
    ]
    return Table(f"From round to round, {first.problems} problems", columns, rows, notes=notes)


def _round(number: int) -> str:
    return str(number) if number else "0 (warm start)"


def _problems_table(run: RunView, details: Mapping[str, Any], status: str | None) -> Table:
    rows = []
    for one in details["problems"]:
        attempts = one["attempts"]
        best = attempts[0] if attempts else {"status": "missing", "reason": ""}
        if not one["canary"] and status in (None, best["status"]):
            proved = sum(attempt["status"] == "proved" for attempt in attempts)
            figures = [str(best.get(key, "-")) for key in ("expansions", "tokens", "seconds")]
            words = [one["id"], one["category"], best["status"], f"{proved}/{len(attempts)}", best["reason"]]
            rows.append([*words, *figures])
    columns = [Column("problem"), Column("category", spare=1), Column("best attempt"), Column("proved", True)]
    columns += [Column("reason"), *(Column(name, True, 2) for name in ("expansions", "tokens", "seconds"))]
    known = [one["id"] for one in details["problems"] if not one["canary"]]
    title = f"{len(rows)} of {len(known)} problems" + (f", {status}" if status else "")
    example = [f"one of them with statement, proof and verdict: {common.show_line(run, known[0])}"]
    return Table(title, columns, rows, notes=example if known else ())


def _show_problem(args: argparse.Namespace, run: RunView, details: Mapping[str, Any]) -> int:
    known = {one["id"]: one for one in details["problems"]}
    matching = [name for name in known if name.startswith(args.problem)]
    name = args.problem if args.problem in known else matching[0] if len(matching) == 1 else None
    if name is None:
        hint = (
            f"; write more of the name: {', '.join(matching[:4])}"
            if matching
            else nearest(args.problem, known)
        )
        raise UserError(f"{run.name} has no problem called {args.problem!r}{hint}")
    one = known[name]
    said = texts([run], problem_texts).get(f"{one['id']} {one['revision']}")
    if args.json:
        common.print_json({**one, **(said or {})})
        return 0
    print("\n".join(_lines(run, one, said, args.all)))
    return 0


def _lines(run: RunView, one: Mapping[str, Any], said: Mapping[str, str] | None, every: bool) -> list[str]:
    lines = [f"{printable(one['id'])} in {run.name}", ""]
    if said is None:
        lines.append(f"(statement: {run.benchmark} at revision {one['revision']} is not on this machine)")
    else:
        lines += [said["statement"], *([said["informal"]] if said["informal"] else [])]
    attempts: Sequence[Mapping[str, Any]] = one["attempts"]
    failed = [attempt for attempt in attempts if attempt["status"] != "proved"]
    shown = [attempt for attempt in attempts if every or attempt not in failed[FAILED_SHOWN:]]
    for attempt in shown:
        lines += ["", *_attempt_lines(attempt), *_tree_lines(run, one["id"], attempt)]
    if len(shown) < len(attempts):
        lines += ["", f"and {len(attempts) - len(shown)} more failed attempts: add --all"]
    return lines if attempts else [*lines, "", "no attempt yet"]


def _tree_lines(run: RunView, problem: str, attempt: Mapping[str, Any]) -> list[str]:
    """The beginning of the attempt's search tree, where one is stored."""
    if "tree" not in attempt or run.folder is None:
        return []
    found = [printable(line) for line in tree_lines(stored_tree.read(run.folder, problem, attempt["sample"]))]
    more = shlex.join(["harness", "tree", str(run.folder), problem, "--sample", str(attempt["sample"])])
    rest = (
        [f"    ... {len(found) - BRANCHES_SHOWN} more states: {more}"] if len(found) > BRANCHES_SHOWN else []
    )
    return ["  search tree (* is the proof):", *(f"    {line}" for line in found[:BRANCHES_SHOWN]), *rest]


def _attempt_lines(attempt: Mapping[str, Any]) -> list[str]:
    spent = [f"{attempt['tokens']} tokens", f"{attempt['seconds']:g} s"]
    if "expansions" in attempt:
        searched = (
            f"{attempt['expansions']} expansions, {attempt['calls']} tactic calls, depth {attempt['depth']}"
        )
        spent = [f"{searched}, stopped: {attempt['stopped']}", *spent]
    lines = [
        f"sample {attempt['sample']}: {attempt['status']} ({attempt['reason']}), {', '.join(spent)}",
        f"  verdict: {attempt['evidence']}" + (f"; axioms: {attempt['axioms']}" if attempt["axioms"] else ""),
    ]
    for title in ("proof", "detail"):
        if attempt[title]:
            lines += [f"  {title}:", textwrap.indent(attempt[title].rstrip("\n"), "    ")]
    return lines
