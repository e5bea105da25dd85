"""`harness judge`: proofs that were generated elsewhere, judged strictly and stored as a run."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from harness.analysis.runs import RunView
from harness.analysis.summary import scalars
from harness.analysis.tables import runs_table
from harness.answers.columns import KNOWN, answers, chosen
from harness.answers.files import content_of, rows
from harness.answers.matching import NAMED, Given, Terms, given
from harness.benchmarks import loading
from harness.benchmarks.manifest import manifest
from harness.commands import common
from harness.commands.judges import check_can_judge, lean_spec, named
from harness.commands.run import attempted_is_shown
from harness.errors import UserError
from harness.experiment.judging import Judging, judge_answers
from harness.experiment.selection import Problems, select
from harness.paths import expanded
from harness.prompts.registry import family
from harness.spec import ProblemsSpec
from harness.terminal.tables import show
from harness.types import Status


def main(args: argparse.Namespace) -> int:
    """Read the answers, judge what is not judged yet, and show the row."""
    asked, columns = _asked(args)
    told = [
        f"columns: {', '.join(f'{meaning} = {column}' for meaning, column in columns.items())}",
        *asked.given.notes,
        f"{asked.given.samples} answers to each of {len(asked.problems)} problems of "
        f"{asked.asked.benchmark}, split {asked.asked.split}; model: {asked.given.model or 'not stated'}",
    ]
    if args.dry_run:
        print("\n".join([*told, f"would be judged by {named(asked.lean)} into {asked.folder(args.runs)}"]))
        return 0
    resources = common.resources(args)
    for line in told:
        resources.display.note(line)
    with attempted_is_shown(args):
        view, _ = judge_answers(asked, resources)
    claims = _claims(view, asked.given)
    if args.json:
        common.print_json({"run": view.name, "columns": columns, "claims": claims, **scalars(view.summary)})
        return 0
    show([runs_table([view])], plain=args.plain or None)
    for line in _told(claims):
        print(line)
    print(f"Problem by problem: {common.show_line(view)}")
    return 0


def _asked(args: argparse.Namespace) -> tuple[Judging, dict[str, str]]:
    path = expanded(args.answers)
    found = manifest(args.benchmark)
    split = args.split or found.default_split or "all"
    asked = ProblemsSpec(benchmark=args.benchmark, split=split, limit=args.limit)
    problems = select(asked)
    common.need(args.timeout > 0, f"--timeout {args.timeout:g}: must be above 0")
    args.lean = args.lean or ("kimina" if args.url else "repl" if args.project else "core")
    lean = lean_spec(args).model_copy(update={"timeout_s": args.timeout})
    check_can_judge(lean, problems, args.benchmark)
    terms = Terms(
        args.samples, args.missing == "failed", args.skip_unknown, args.model or "", args.max_tokens
    )
    stated, columns = _read(path, _columns(args.column))
    answered = given(stated, problems, _elsewhere(args.benchmark, split, problems), terms, path)
    ks = tuple(sorted(set(args.k or [1, answered.samples])))
    wrong = [k for k in ks if k > answered.samples]
    common.need(not wrong, f"-k {(*wrong, 0)[0]}: there are {answered.samples} answers to each problem")
    common.need(
        args.chosen_from is None or answered.samples == 1,
        f"--chosen-from: is for one answer to each problem; there are {answered.samples}",
    )
    common.need(
        args.chosen_from is not None or answered.samples > 1 or not answered.filled,
        f"{path}: one answer each, and none to {answered.filled} problems, is how lists of solutions are "
        "published; --chosen-from N says of how many attempts each is the best (1: they are all there were)",
    )
    source = {"file": str(path), "sha256": content_of(path), "columns": columns}
    judging = Judging(
        args.name or path.name.split(".")[0],
        answered,
        asked,
        problems,
        lean,
        ks,
        None if args.prompt is None else family(args.prompt),
        args.max_tokens,
        args.chosen_from if args.chosen_from != 1 else None,
        tuple(source.items()),
    )
    return judging, columns


def _columns(given: Sequence[str]) -> dict[str, str]:
    """`--column MEANING=NAME`."""
    pairs = [text.partition("=") for text in given]
    wrong = next((text for text, (_, _, name) in zip(given, pairs, strict=True) if not name), None)
    if wrong is not None:
        raise UserError(f"--column {wrong}: write MEANING=NAME; meanings are {', '.join(KNOWN)}")
    return {meaning: name for meaning, _, name in pairs}


def _read(path: Path, told: Mapping[str, str]) -> tuple[Iterable[Any], dict[str, str]]:
    """The answers of a file and its columns by their meaning, which its first row tells."""
    stream = rows(path)
    first = next(stream, None)
    if first is None:
        raise UserError(f"{path}: holds no answer")
    columns = chosen(first[1], told, path)
    return answers(chain([first], stream), columns), columns


def _elsewhere(benchmark: str, split: str, problems: Problems) -> dict[str, str]:
    """Why each other problem of the benchmark is not asked for; a file may hold answers to all splits."""
    asked = {problem.id for problem in problems}
    return {
        item.id: f"beyond --limit {len(problems)}" if item.split == split else f"of split {item.split}"
        for item in loading.load(benchmark, "all")
        if item.id not in asked
    }


def _claims(view: RunView, answered: Given) -> dict[str, Any] | None:
    """Where verdicts and what the file says of its answers disagree; None where it says nothing."""
    claimed = {key: one.claimed for key, one in answered.answers.items() if one.claimed is not None}
    if not claimed:
        return None
    proved = {
        (record.problem_id, record.attempt.index): record.verdict.status is Status.PROVED
        for record in view.records
        if record.verdict.status is not Status.INFRA
    }
    apart = {key: proved[key] for key, said in claimed.items() if key in proved and proved[key] != said}
    names = {
        said: [f"{name} #{index}" for (name, index), now in apart.items() if now is said]
        for said in (True, False)
    }
    return {
        "proved": sum(claimed.values()),
        "of": len(claimed),
        "refused": names[False],
        "only_here": names[True],
    }


def _told(claims: Mapping[str, Any] | None) -> list[str]:
    if claims is None:
        return []
    lines = [f"the file calls {claims['proved']} of {claims['of']} answers proved"]
    for key, what in (("refused", "of these are not"), ("only_here", "others are proved here")):
        if claims[key]:
            more = ", ..." if len(claims[key]) > NAMED else ""
            lines.append(f"  {len(claims[key])} {what}: {', '.join(claims[key][:NAMED])}{more}")
    return lines if len(lines) > 1 else [f"{lines[0]}; every verdict agrees"]
