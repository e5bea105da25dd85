"""Arguments of the commands that read what is stored."""

from __future__ import annotations

import argparse

from harness.arguments.shared import as_json, dry_run, experiment, problems_and_budget, service

STATUSES = ("proved", "rejected", "timeout", "infra", "missing")


def compare(parser: argparse.ArgumentParser) -> None:
    """`harness compare`."""
    parser.add_argument(
        "a",
        metavar="A",
        help="side A: a run (name, a part of it, folder, records.jsonl, W&B run), or the runs of several "
        "seeds with commas or a quoted pattern ('alpha*'); or a checkpoint, which is measured first",
    )
    parser.add_argument("b", metavar="B", help="side B, likewise")
    parser.add_argument("more", metavar="C", nargs="*", help="more sides, each compared with A")
    parser.add_argument("--every-pair", action="store_true", help="compare every two sides, not each with A")
    parser.add_argument(
        "-k",
        type=int,
        action="append",
        help="compare pass@K; may be repeated (default: every k that all sides report)",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="compare what is common where problems, budgets or settings differ, and warn of that",
    )
    parser.add_argument(
        "--margin",
        type=float,
        metavar="SHARE",
        help="a difference that does not matter: 0.02 is two points of pass@k, 2 %% of nodes; a whole "
        "interval inside it is called equivalent",
    )
    parser.add_argument(
        "--fail-if-worse", action="store_true", help="exit with 1 when B is worse than A in any figure"
    )
    parser.add_argument("--html", metavar="F", help="also write one self-contained page")
    parser.add_argument("--wandb", action="store_true", help="also save it in W&B, as a report")
    parser.add_argument("--wandb-project", metavar="NAME", help="W&B project of the report")
    parser.add_argument("--entity", help="its W&B entity (default: yours)")
    as_json(parser)
    measured(parser.add_argument_group("how checkpoints are measured, in turn and under the same seeds"))


def measured(parser: argparse._ArgumentGroup) -> None:
    """How two checkpoints are measured."""
    parser.add_argument(
        "--experiment",
        metavar="FILE",
        dest="file",
        help="experiment with the settings (default: base/embedded, with --prompt base/served)",
    )
    parser.add_argument("--prompt", metavar="FAMILY", help="of plain folders; see harness prompts")
    parser.add_argument("--generator", metavar="PATH", help="of both sides, when these are value models")
    parser.add_argument(
        "--value", metavar="PATH", help="value model of both sides, when these are generators"
    )
    problems_and_budget(parser)
    parser.add_argument(
        "--prover",
        help="best_first, beam ... (default: best_first with --alpha or value models, else whole_proof)",
    )
    service(parser, default=None, told="that of the experiment")
    experiment(parser)
    dry_run(parser)


def leaderboard(parser: argparse.ArgumentParser) -> None:
    """`harness leaderboard`."""
    parser.add_argument(
        "board",
        metavar="BOARD",
        nargs="?",
        help="a board of leaderboards/, a YAML file, or a benchmark that has runs; BENCHMARK:SPLIT for "
        "another of its splits (default: the board with most runs)",
    )
    parser.add_argument("--html", metavar="F", help="also write one self-contained page")
    parser.add_argument("--serve", action="store_true", help="show the page, kept up to date, until Ctrl-C")
    parser.add_argument("--host", default="127.0.0.1", help="address to serve on (default %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="its port (default %(default)s)")
    parser.add_argument("--charts", metavar="DIR", help="also draw every chart into this folder")
    parser.add_argument("--format", action="append", help="svg (default) or png, for --charts")
    parser.add_argument(
        "--wandb", action="store_true", help="also save it in W&B: a report, and a view of its runs"
    )
    parser.add_argument("--project", help="W&B project of the report (default: lean-harness)")
    parser.add_argument("--entity", help="its W&B entity (default: yours)")
    parser.add_argument("--markdown", action="store_true", help="GitHub Markdown instead of plain tables")
    parser.add_argument(
        "--csv", action="store_true", help="plain numbers on standard output, one line a row and seed"
    )
    parser.add_argument("--seeds", action="store_true", help="also show each seed of a pooled row")
    parser.add_argument(
        "--sort", metavar="COLUMN", help="order rows by another column; --csv shows the names"
    )
    parser.add_argument(
        "--baseline",
        metavar="RUN",
        help="hold rows against this run (default: the board's, else log-probability alone)",
    )
    parser.add_argument(
        "--prices",
        metavar="F",
        help="YAML file of dollars: gpu_hour, lean_hour, million_prompt_tokens, million_completion_tokens",
    )
    as_json(parser)


def runs(parser: argparse.ArgumentParser) -> None:
    """`harness runs`."""
    parser.add_argument("patterns", metavar="PART", nargs="*", help="only runs with this in their name")
    parser.add_argument(
        "--where", metavar="KEY=VALUE", action="append", default=[], help="only runs with this setting"
    )
    parser.add_argument("--state", choices=("complete", "owed", "unscored"), help="only runs in this state")
    parser.add_argument("--follow", action="store_true", help="print the attempts of one run as they come")
    as_json(parser)


def show(parser: argparse.ArgumentParser) -> None:
    """`harness show`."""
    parser.add_argument(
        "name", metavar="RUN", help="a run (a part of its name will do), or a stage such as grpo-3b23fdf6"
    )
    parser.add_argument("problem", metavar="PROBLEM", nargs="?", help="one problem, with proof and verdict")
    parser.add_argument("--status", choices=STATUSES, help="only problems whose best attempt is so")
    parser.add_argument("--all", action="store_true", help="every attempt at the problem")
    parser.add_argument("--charts", metavar="DIR", help="also draw a stage's curves into this folder")
    parser.add_argument("--format", action="append", help="svg (default) or png, for --charts")
    as_json(parser)


def tree(parser: argparse.ArgumentParser) -> None:
    """`harness tree`."""
    parser.add_argument("run", metavar="RUN", help="name, part of it, or folder of a run")
    parser.add_argument("problem", metavar="PROBLEM", help="whose search")
    parser.add_argument("--sample", type=int, default=0, help="number of the attempt (default 0)")
    parser.add_argument("--part", choices=("first", "second"), help="of a union: whose (default: the last)")
    parser.add_argument("--all", action="store_true", help="also states that were never expanded")
    parser.add_argument("--html", metavar="FILE", help="also write the tree as a page of its own")


def replay_search(parser: argparse.ArgumentParser) -> None:
    """`harness replay-search`."""
    parser.add_argument("run", metavar="RUN", help="name, part of it, or folder of a run of best_first")
    parser.add_argument("--alpha", type=float, required=True, help="weight of log-probability, 0 to 1")
    as_json(parser)


def publish(parser: argparse.ArgumentParser) -> None:
    """`harness publish`."""
    parser.add_argument(
        "names",
        metavar="RUN",
        nargs="+",
        help="a run, an experiment of runs/tracking (name, its beginning, or a quoted pattern), or a sweep",
    )
    parser.add_argument("--project", help="W&B project instead of that of the experiment")
    parser.add_argument("--entity", help="W&B entity instead of that of the experiment")
    parser.add_argument(
        "--timeout", type=float, default=600.0, help="most seconds for each run (default: 600)"
    )
    as_json(parser)


def prompts(parser: argparse.ArgumentParser) -> None:
    """`harness prompts`."""
    parser.add_argument("family", metavar="FAMILY", nargs="?", help="show what this one sends")
    as_json(parser)


def nothing(parser: argparse.ArgumentParser) -> None:
    """Of a command that takes no more than every command."""
    as_json(parser)
