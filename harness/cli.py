"""The command line: argument parsing, exit codes, and nothing else.

Exit codes: 0 done; 1 the machine failed, or a check found something; 2 the user's mistake; 130 interrupted.
Commands live in `harness.commands` and are imported when they are called.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from harness import __version__
from harness.errors import HarnessError, UserError
from harness.paths import expanded
from harness.terminal.streams import guarded_streams

EPILOG = """examples:
  harness sweep sweeps/quickstart.yaml          the main job: train, search at five alphas, compare
  harness run sweeps/base/embedded.yaml --dry-run
  harness run sweeps/base/embedded.yaml --set search.alpha=0.25
  harness compare RUN_A RUN_B
  harness compare CHECKPOINT_A CHECKPOINT_B --benchmark core-curriculum --samples 8
  harness leaderboard --serve
  harness show RUN PROBLEM

FILE may also be named without its folder: `harness sweep alpha`. Runs lie in ./runs, in $HARNESS_RUNS, or
where --runs says.
"""
INTERRUPTED = "interrupted; records and finished stages are kept, the same command goes on from here"
STATUSES = ("proved", "rejected", "timeout", "infra", "missing")
Add = Callable[[argparse.ArgumentParser], None]
AGENT = "WANDB_SWEEP_ID"
"""Set by `wandb agent` for the points that it runs."""
TERMINATED: list[int] = []
"""SIGTERM, once it has come."""


def _count(text: str) -> int:
    """A whole number above 0; raises what argparse makes one line of."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="experiment YAML, or a sweep point as JSON or YAML")
    parser.add_argument("--group", help="what the run belongs to in W&B, such as a sweep (default: its name)")
    parser.add_argument(
        "--wait",
        action="store_true",
        help="wait for a process that writes the same run, then go on",
    )
    parser.add_argument("--title", help="its name there (default: that of the experiment)")
    _experiment(parser)
    _dry_run(parser)


def _sweep(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="sweep YAML, as `wandb sweep` takes it")
    parser.add_argument("--seed", type=int, default=0, help="seed of random points (default 0)")
    parser.add_argument(
        "--parallel",
        type=_count,
        metavar="N",
        help="N points at once, each in a process with its share of the GPUs (default: one, in this process)",
    )
    parser.add_argument(
        "--resume", action="store_true", help="leave points alone that finished, stopped or failed before"
    )
    parser.add_argument(
        "--retry-failed", action="store_true", help="like --resume, but failed ones run again"
    )
    parser.add_argument(
        "--max-failures",
        type=_count,
        metavar="N",
        default=3,
        help="begin no more points after N failed ones (default: %(default)s)",
    )
    _experiment(parser)
    _dry_run(parser)


def _plan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="experiment or sweep YAML")
    parser.add_argument("--seed", type=int, default=0, help="seed of random points (default 0)")
    _experiment(parser)


def _eval(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        help="experiment with the settings (default: base/embedded, with --model base/served)",
    )
    _models(parser)
    parser.add_argument("--name", default="eval", help="name of the row (default %(default)s)")
    _problems_and_budget(parser)
    parser.add_argument("--prover", help="best_first, beam, whole_proof ... (default: what the model writes)")
    parser.add_argument("-k", type=int, action="append", help="report pass@k; may be repeated")
    _service(parser, default=None, told="that of the experiment")
    _experiment(parser)
    _dry_run(parser)


def _train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "stage", metavar="STAGE", help="generator, trajectories, value, grpo, expert_iteration or all"
    )
    parser.add_argument("file", metavar="FILE", help="experiment YAML")
    _experiment(parser)
    _dry_run(parser)


def _validate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("benchmark", metavar="BENCHMARK", nargs="?")
    parser.add_argument("--attacks", action="store_true", help="instead: known ways to cheat a checker")
    parser.add_argument("--peers", action="store_true", help="--attacks: what rules of other harnesses take")
    parser.add_argument(
        "--arena", metavar="PATH", help="instead: exports of lean4export (file or folder), for the kernel"
    )
    parser.add_argument(
        "--library", metavar="PROJECT", help="instead: every declaration of a Lean project's own modules"
    )
    parser.add_argument(
        "--timeout", type=float, default=60.0, help="--arena: seconds for a file; --library: for a module"
    )
    parser.add_argument("--split", default="all", help="one split (default: all)")
    parser.add_argument("--level", choices=("fast", "strict"), default="strict")
    _service(parser)
    _json(parser)


def _compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "a",
        metavar="A",
        help="side A: a run (name, its beginning, folder, records.jsonl, W&B run), or the runs of several "
        "seeds with commas or a quoted pattern ('alpha*'); or a checkpoint, which is measured first",
    )
    parser.add_argument("b", metavar="B", help="side B, likewise")
    parser.add_argument("more", metavar="C", nargs="*", help="more sides, each compared with A")
    parser.add_argument("--every-pair", action="store_true", help="compare every two sides, not each with A")
    parser.add_argument("-k", type=int, action="append", help="compare pass@k; may be repeated")
    parser.add_argument("--force", action="store_true", help="compare what is common, however unlike")
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
    _measured(parser.add_argument_group("how checkpoints are measured, in turn and under the same seeds"))


def _measured(parser: argparse._ArgumentGroup) -> None:
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
    _problems_and_budget(parser)
    parser.add_argument(
        "--prover",
        help="best_first, beam ... (default: best_first with --alpha or value models, else whole_proof)",
    )
    _service(parser, default=None, told="that of the experiment")
    _experiment(parser)
    _dry_run(parser)


def _problems_and_budget(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--benchmark", help="benchmark to prove (default: that of the first evaluation)")
    parser.add_argument("--split", help="its split")
    parser.add_argument("--limit", type=int, help="a seeded sample of this many problems")
    parser.add_argument("--alpha", type=float, help="weight of log-probability, 0 to 1")
    parser.add_argument("--samples", type=int, help="attempts per problem")


def _leaderboard(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "board", metavar="BOARD", nargs="?", help="a board of leaderboards/ (default: the first that fits)"
    )
    parser.add_argument("--html", metavar="F", help="also write one self-contained page")
    parser.add_argument("--serve", action="store_true", help="show the page, kept up to date, until Ctrl-C")
    parser.add_argument("--host", default="127.0.0.1", help="address to serve on (default %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="its port (default %(default)s)")
    parser.add_argument("--charts", metavar="DIR", help="also draw every chart into this folder")
    parser.add_argument("--format", action="append", help="svg (default) or png, for --charts")
    parser.add_argument("--wandb", action="store_true", help="also save it in W&B: a report and a view")
    parser.add_argument("--project", help="W&B project of the report (default: that of experiments)")
    parser.add_argument("--entity", help="its W&B entity (default: yours)")
    parser.add_argument("--markdown", action="store_true", help="GitHub Markdown instead of plain tables")
    parser.add_argument("--csv", action="store_true", help="plain numbers, one line a row and seed")
    parser.add_argument("--seeds", action="store_true", help="also show the runs of each pooled row")
    parser.add_argument("--sort", metavar="COLUMN", help="order rows by another column, as CSV names it")
    parser.add_argument("--baseline", metavar="RUN", help="hold rows against this run (default: the board's)")
    parser.add_argument(
        "--prices", metavar="F", help="YAML with dollars: gpu_hour, lean_hour, million_*_tokens"
    )
    _json(parser)


def _runs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("patterns", metavar="PART", nargs="*", help="only runs with this in their name")
    parser.add_argument(
        "--where", metavar="KEY=VALUE", action="append", default=[], help="only runs with this setting"
    )
    parser.add_argument("--state", choices=("complete", "owed", "unscored"), help="only runs in this state")
    parser.add_argument("--follow", action="store_true", help="print the attempts of one run as they come")
    _json(parser)


def _show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="RUN", help="a run, or a stage of training such as grpo-3b23fdf6")
    parser.add_argument("problem", metavar="PROBLEM", nargs="?", help="one problem, with proof and verdict")
    parser.add_argument("--status", choices=STATUSES, help="only problems whose best attempt is so")
    parser.add_argument("--all", action="store_true", help="every attempt at the problem")
    parser.add_argument("--charts", metavar="DIR", help="also draw a stage's curves into this folder")
    parser.add_argument("--format", action="append", help="svg (default) or png, for --charts")
    _json(parser)


def _tree(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="name, prefix or folder of a run")
    parser.add_argument("problem", metavar="PROBLEM", help="whose search")
    parser.add_argument("--sample", type=int, default=0, help="number of the attempt (default 0)")
    parser.add_argument("--part", choices=("first", "second"), help="of a union: whose (default: the last)")
    parser.add_argument("--all", action="store_true", help="also states that were never expanded")
    parser.add_argument("--html", metavar="FILE", help="also write the tree as a page of its own")


def _replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="name, prefix or folder of a run of best_first")
    parser.add_argument("--alpha", type=float, required=True, help="weight of log-probability, 0 to 1")
    _json(parser)


def _recheck(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="name, prefix or folder of a run")
    parser.add_argument("--level", choices=("fast", "strict"), default="strict")
    parser.add_argument(
        "--keep", action="store_true", help="store the verdicts as a run of its own, which boards rank apart"
    )
    _service(parser, default=None, told="that of the run")
    _json(parser)


def _judge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "answers",
        metavar="ANSWERS",
        help="the answers: .jsonl, .json, .csv (or .gz of them), .parquet, or a folder of .lean files",
    )
    parser.add_argument("--benchmark", required=True, help="whose problems they answer")
    parser.add_argument("--split", help="its split (default: that of the benchmark)")
    parser.add_argument("--limit", type=_count, metavar="N", help="only a seeded sample of N problems")
    parser.add_argument(
        "--column",
        metavar="MEANING=NAME",
        action="append",
        default=[],
        help="where a column has a name that is not known: problem, answer, sample, completion_tokens, "
        "prompt_tokens, finish, model or claimed (verdict); NAME - for none; may be repeated",
    )
    parser.add_argument("--name", help="name of the run (default: that of the file)")
    parser.add_argument(
        "--model", metavar="NAME", help="what wrote them; of a file of several models the one meant"
    )
    parser.add_argument("--prompt", metavar="FAMILY", help="read them as this family's answers are read")
    parser.add_argument(
        "--samples", type=_count, metavar="N", help="take the first N answers to each problem"
    )
    parser.add_argument(
        "--missing",
        choices=("refuse", "failed"),
        default="refuse",
        help="failed: a missing answer is not proved",
    )
    parser.add_argument("--skip-unknown", action="store_true", help="leave out answers to unknown problems")
    parser.add_argument(
        "--chosen-from",
        type=_count,
        metavar="N",
        help="each answer is the best of N attempts, as in published solutions; no board ranks them",
    )
    parser.add_argument(
        "--max-tokens",
        type=_count,
        metavar="N",
        help="tokens that one attempt was allowed; boards rank by it",
    )
    parser.add_argument("-k", type=_count, action="append", help="report pass@k; may be repeated")
    parser.add_argument(
        "--timeout", type=float, default=60.0, help="seconds given to one check (default: 60)"
    )
    _service(parser, default=None, told="repl with --project, kimina with --url, else the embedded core")
    _json(parser)
    _dry_run(parser)


def _publish(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "names",
        metavar="RUN",
        nargs="+",
        help="a run, or what was tracked under runs/tracking: name, its beginning, or a quoted pattern",
    )
    parser.add_argument("--project", help="W&B project instead of the one that the run was tracked under")
    parser.add_argument("--entity", help="W&B entity likewise")
    parser.add_argument(
        "--timeout", type=float, default=600.0, help="seconds given to each run (default: 600)"
    )
    _json(parser)


def _data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("list", "show", "fetch", "validate", "overlap", "trajectories"))
    parser.add_argument(
        "names",
        metavar="BENCHMARK",
        nargs="*",
        help="the project's, or yours in $HARNESS_BENCHMARKS; overlap: NAME:SPLIT takes one split; "
        "trajectories: a run or a training stage",
    )
    parser.add_argument("--parquet", metavar="FILE", help="trajectories: write all states there too")
    parser.add_argument("--from", dest="origin", metavar="PATH", help="fetch: a checkout, folder or JSONL")
    parser.add_argument(
        "--revision", help="fetch: another revision of the source than the pinned one, without --from"
    )
    _service(parser)
    _json(parser)


def _adopt(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="a Hugging Face folder: config, tokenizer, safetensors")
    parser.add_argument("--as", dest="name", metavar="NAME", help="leave DIR alone: a folder of links to it")
    parser.add_argument("--copy", action="store_true", help="with --as: copies instead of links")
    parser.add_argument(
        "--parent", metavar="CHECKPOINT", help="the checkpoint that its training started from"
    )
    _json(parser)


def _prompts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("family", metavar="FAMILY", nargs="?", help="show what this one sends")
    _json(parser)


def _models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="NAME", help="a model from outside: a folder, or a name")
    parser.add_argument(
        "--server", metavar="URL", action="append", default=[], help="where it is served; may be repeated"
    )
    parser.add_argument("--prompt", metavar="FAMILY", help="how it is asked; see harness prompts")
    parser.add_argument("--revision", metavar="COMMIT", help="which weights its name stands for")
    parser.add_argument("--generator", metavar="PATH", help="generator checkpoint instead of a trained one")
    parser.add_argument("--value", metavar="PATH", help="value checkpoint instead of a trained one")


def _premises(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "corpus", metavar="CORPUS", help="core, or the folder of a LeanDojo Benchmark with its corpus.jsonl"
    )
    parser.add_argument("--setting", default="random", help="its split: random (default) or novel_premises")
    parser.add_argument("--split", default="test", help="train, val or test (default)")
    parser.add_argument("-k", type=_count, action="append", help="recall@k (default 1, 10, 100); repeatable")
    parser.add_argument("--encoder", metavar="NAME", help="a model instead of counted words")
    parser.add_argument("--server", metavar="URL", action="append", default=[], help="where it is served")
    parser.add_argument("--revision", metavar="COMMIT", help="which weights its name stands for")
    parser.add_argument("--limit", type=_count, metavar="N", help="only the first N theorems")
    parser.add_argument("--state", metavar="GOAL", help="instead: the nearest premises of this goal")
    parser.add_argument("--write", metavar="DIR", help="instead, for core: write it in LeanDojo's format")
    _json(parser)


def _serve(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(dest="what", metavar="WHAT", required=True)

    def kind(name: str, told: str, port: int) -> argparse.ArgumentParser:
        found = kinds.add_parser(name, help=told, description=told, parents=[_shared(argparse.SUPPRESS)])
        _address(found, port)
        return found

    lean = kind("lean", "a Kimina-compatible Lean server over the own pool", 8000)
    lean.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    lean.add_argument("--project", help="Lean project folder; default: the embedded core")
    lean.add_argument("--timeout", type=float, default=60.0, help="seconds given to one check")
    lean.add_argument("--memory-mb", type=int, default=8192, help="limit of one REPL process")
    _suggesting(kind("suggest", "tactics for editors, in llmstep's format", 5000))


def _address(parser: argparse.ArgumentParser, port: int) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=port, help="its port (default %(default)s; 0: any)")


def _suggest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "state",
        metavar="STATE",
        nargs="?",
        help="a goal as Lean prints it, or Lean text up to the cursor: itself, in a file, or - for stdin",
    )
    parser.add_argument("--prefix", default="", help="what the tactics have to begin with")
    _suggesting(parser)


def _suggesting(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--experiment",
        dest="file",
        metavar="FILE",
        help="experiment with models and search settings (default: base/embedded, with --model base/served)",
    )
    parser.add_argument("--symbolic", action="store_true", help="a fixed list of tactics; no model is asked")
    parser.add_argument("--count", type=int, default=8, help="tactics (default %(default)s)")
    parser.add_argument("--header", help="what stands before a goal (default with real Lean: import Mathlib)")
    _models(parser)
    _service(parser, default=None, told="that of the experiment")
    _experiment(parser)


def _reward(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="experiment YAML: its lean and train sections")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8200)
    parser.add_argument("--write", action="store_true", help="only write the settings, serve nothing")
    _experiment(parser)


def _servers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="PROFILE", help="experiment YAML whose node.servers are meant")
    _experiment(parser)


def _json(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")


def _service(
    parser: argparse._ActionsContainer, default: str | None = "core", told: str = "the embedded core"
) -> None:
    parser.add_argument(
        "--lean",
        choices=("core", "file", "repl", "kimina"),
        default=default,
        help=f"Lean service (default: {told})",
    )
    parser.add_argument("--project", help="Lean project folder for file (one `lean` a check) and repl")
    parser.add_argument("--url", action="append", default=[], help="Kimina server; may be repeated")
    parser.add_argument("--workers", type=int, default=1, help="checks at once (default: 1)")
    parser.add_argument(
        "--judge",
        choices=("text", "compiled"),
        default="text",
        help="compiled: a second kernel has to accept the compiled file too (real Lean, strict)",
    )


def _experiment(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--base", metavar="NAME", help="a file of sweeps/base instead of the one named in FILE"
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="settings",
        help="change one value; may be repeated",
    )
    _json(parser)


def _dry_run(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--dry-run", action="store_true", help="show what is cached and what would run")


def _keys(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", metavar="KEY", nargs="?", help="only this key and those below it")
    parser.add_argument("--schema", action="store_true", help="a JSON schema, from which editors complete")
    _json(parser)


def _nothing(parser: argparse.ArgumentParser) -> None:
    _json(parser)


COMMANDS: dict[str, tuple[str, str, Add]] = {
    "run": ("run", "run one experiment, or one point of a sweep", _run),
    "sweep": ("sweep", "run every point of a sweep file here, without a server", _sweep),
    "plan": ("planning", "the processes of an experiment or sweep, and what they will cost", _plan),
    "eval": ("evaluation", "measure a checkpoint on a benchmark", _eval),
    "train": ("training", "run the training stages alone", _train),
    "validate": ("validation", "check every gold proof of a benchmark", _validate),
    "compare": ("comparison", "paired A/B comparison of runs, or of checkpoints", _compare),
    "leaderboard": ("board", "rank stored runs", _leaderboard),
    "runs": ("runs", "list stored runs, or follow one", _runs),
    "show": ("show", "one run, one problem with its proof, or a training curve", _show),
    "tree": ("tree", "the search tree of one problem", _tree),
    "replay-search": ("tree", "what another alpha would have expanded, from stored trees", _replay),
    "recheck": ("recheck", "judge the stored proofs of a run again", _recheck),
    "judge": ("answers", "judge proofs that were generated elsewhere, and store them as a run", _judge),
    "publish": ("publish", "send stored runs to W&B; what it has is not sent again", _publish),
    "data": ("data", "list, show, fetch and check benchmarks; count trajectories", _data),
    "adopt": ("adopting", "make a plain Hugging Face folder a checkpoint", _adopt),
    "prompts": ("prompts", "list the ways in which published provers are asked", _prompts),
    "serve": ("serve", "serve Lean, or suggestions for editors, over HTTP", _serve),
    "suggest": ("suggest", "tactics for one state, tried in Lean", _suggest),
    "premises": ("premises", "retrieve premises: recall and MRR, or for one state", _premises),
    "reward": ("rewarding", "serve Lean's verdicts as rewards to other trainers", _reward),
    "up": ("servers", "start the servers of a profile and wait until they are well", _servers),
    "status": ("servers", "how the servers of a profile do; 1 when one is not up", _servers),
    "down": ("servers", "end the servers of a profile", _servers),
    "spec": ("spec", "every key of an experiment file: type, default, help", _keys),
    "doctor": ("doctor", "what is installed and reachable here", _nothing),
}
"""Command -> (module of `harness.commands`, help, arguments)."""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="harness",
        description="A benchmark harness for co-trained Lean 4 theorem provers.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"harness {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (_, text, add) in COMMANDS.items():
        add(commands.add_parser(name, help=text, description=text, parents=[_shared()]))
    return top


def _shared(default: Any = None) -> argparse.ArgumentParser:
    """What every command takes; `default`: for a second level, whose own would win over the first's."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--runs",
        type=expanded,
        metavar="DIR",
        default=default or expanded(os.environ.get("HARNESS_RUNS") or "runs"),
        help="where runs and stages lie (default: $HARNESS_RUNS or ./runs)",
    )
    shared.add_argument(
        "--plain", action="store_true", default=default or False, help="plain lines instead of bars"
    )
    return shared


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Called with no arguments it reads `sys.argv`."""
    with guarded_streams() as results:
        if results is None:
            return _told("standard output is closed; give results a place, such as > FILE or > /dev/null", 2)
        code = _main(argv)
        fault = results.finish()
        if fault is None:
            return code
        return _told(f"standard output: {fault}; what was computed is kept, the same command prints it", 1)


def _main(argv: Sequence[str] | None) -> int:
    try:
        arguments = parser().parse_args(argv)
    except SystemExit as stop:  # argparse has printed its one line, or the help
        return stop.code if isinstance(stop.code, int) else 2
    _end_as_on_ctrl_c()
    try:
        command = importlib.import_module(f"harness.commands.{COMMANDS[arguments.command][0]}")
        return int(command.main(arguments))
    except UserError as error:
        return _told(error, 2)
    except HarnessError as error:
        return _told(error, 1)
    except KeyboardInterrupt:
        code = _told(INTERRUPTED, 130)
        if TERMINATED and os.environ.get(AGENT):
            _die_of_sigterm()
        return code


def _die_of_sigterm() -> None:
    """End as a process does that SIGTERM kills: an agent counts an exit code above 0 as a failed point."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)


def _told(message: object, code: int) -> int:
    for line in str(message).splitlines():
        print(f"harness: {line}", file=sys.stderr)
    return code


def _end_as_on_ctrl_c() -> None:
    """A sweep agent stops its runs with SIGTERM; they end as on Ctrl-C, with every record kept."""
    # Outside the main thread this is somebody else's program, whose signals are not ours.
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGTERM, _interrupt)
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            # A script's background job: no Ctrl-C is meant for it, but asyncio ends in order by its handler.
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """What SIGINT would do now: raise, or inside asyncio cancel the work, which then ends in order."""
    TERMINATED.append(number)
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):
        raise KeyboardInterrupt
    handler(signal.SIGINT, frame)
