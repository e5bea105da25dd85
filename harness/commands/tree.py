"""`harness tree` and `harness replay-search`: what a search looked like, and what another would have done."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from harness.analysis.runs import RunView, open_run, resolve
from harness.boards.tree_picture import lines, page
from harness.commands import common
from harness.errors import UserError
from harness.provers import stored_tree
from harness.provers.priority import Ranking
from harness.provers.replaying import Replay, replay
from harness.provers.search_tree import SearchTree
from harness.provers.tree_search import SearchSpec
from harness.terminal.streams import printable
from harness.terminal.tables import Column, Table, number, show


def main(args: argparse.Namespace) -> int:
    """The command that was asked for."""
    folder = resolve(args.runs, args.run)
    return _tree(args, folder) if args.command == "tree" else _replay(args, folder)


def _tree(args: argparse.Namespace, folder: Path) -> int:
    run = open_run(folder)
    known = [problem.id for problem in run.problems]
    if args.problem not in known:
        listed = f"`harness show {folder.name}` lists them"
        raise UserError(f"{folder.name} has no problem {args.problem!r}; {listed}")
    tree = stored_tree.read(folder, args.problem, args.sample, args.part or "")
    for line in lines(tree, waiting=args.all):
        print(printable(line))
    if args.html:
        Path(args.html).write_text(page(tree, f"{args.problem} in {folder.name}"), encoding="utf-8")
        print(f"harness: {Path(args.html).resolve()}")
    return 0


def _replay(args: argparse.Namespace, folder: Path) -> int:
    if not 0.0 <= args.alpha <= 1.0:
        raise UserError(f"--alpha: {args.alpha:g} is not between 0 and 1")
    run = open_run(folder)
    spec = _settings(run, folder)
    if args.alpha < 1.0 == spec.alpha:
        raise UserError(
            f"--alpha {args.alpha:g}: {folder.name} was made with alpha 1, which asks for no values, so its "
            "trees hold none; replay a run of an alpha below 1"
        )
    ranking = Ranking.of(spec.model_copy(update={"alpha": args.alpha}), run.get("value.gamma"))
    pairs = [(tree, replay(tree, ranking, spec)) for tree in _trees(run, folder)]
    if not pairs:
        raise UserError(f"{folder.name} holds no trees; keep them with `--set runtime.trees=true`")
    if args.json:
        common.print_json([_row(tree, found) for tree, found in pairs])
        return 0
    show([_table(pairs, spec.alpha, args.alpha)], plain=args.plain or None)
    return 0


def _settings(run: RunView, folder: Path) -> SearchSpec:
    """The run's search. Raises `UserError` for another prover's run: its order is not a frontier's."""
    if run.get("evaluation.prover") != "best_first":
        raise UserError(f"{folder.name} is no run of best_first; only its order can be replayed")
    stored = {name: item for name, item in run.spec["search"].items() if name in SearchSpec.model_fields}
    return SearchSpec.model_validate(stored)


def _trees(run: RunView, folder: Path) -> Iterator[SearchTree]:
    canaries = {problem.id for problem in run.problems if problem.canary}
    for record in run.records:
        key = record.problem_id, record.attempt.index
        if record.problem_id not in canaries and stored_tree.place(folder, *key).is_file():
            yield stored_tree.read(folder, *key)


def _row(tree: SearchTree, found: Replay) -> dict[str, object]:
    answer = None if found.left_at is not None else found.expanded
    return {
        "then": _expanded(tree),
        "proved_then": tree.proof is not None,
        "now": answer,
        "proved": found.proved,
    }


def _expanded(tree: SearchTree) -> int:
    return sum(node.expanded for node in tree.nodes)


def _table(pairs: list[tuple[SearchTree, Replay]], then: float, now: float) -> Table:
    answered = [(tree, found) for tree, found in pairs if found.left_at is None]
    both = [(tree, found) for tree, found in answered if tree.proof is not None and found.proved]
    means = [
        number(sum(values) / len(both)) if both else "-"
        for values in ([_expanded(tree) for tree, _ in both], [found.expanded for _, found in both])
    ]
    rows = [
        ["trees", str(len(pairs))],
        ["enough for an answer", str(len(answered))],
        ["left where the stored search did not go", str(len(pairs) - len(answered))],
        [f"proved, alpha {then:g} as run", str(sum(tree.proof is not None for tree, _ in answered))],
        [f"proved, alpha {now:g}", str(sum(found.proved for _, found in answered))],
        [f"expansions per proof of both, alpha {then:g}", means[0]],
        [f"expansions per proof of both, alpha {now:g}", means[1]],
    ]
    title = f"alpha {now:g} replayed; figures are of the trees that are enough"
    return Table(title, [Column("what"), Column("count", True)], rows)
