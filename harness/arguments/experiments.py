"""Arguments of the commands that measure, train and judge."""

from __future__ import annotations

import argparse

from harness.arguments.shared import as_json, count, dry_run, experiment, models, problems_and_budget, service


def run(parser: argparse.ArgumentParser) -> None:
    """`harness run`."""
    parser.add_argument("file", metavar="FILE", help="experiment YAML, or a sweep point as JSON or YAML")
    parser.add_argument("--group", help="what the run belongs to in W&B, such as a sweep (default: its name)")
    parser.add_argument(
        "--wait",
        action="store_true",
        help="wait for a process that writes the same run, then go on",
    )
    parser.add_argument("--title", help="its name there (default: that of the experiment)")
    experiment(parser)
    as_json(parser)
    dry_run(parser)


def sweep(parser: argparse.ArgumentParser) -> None:
    """`harness sweep`."""
    parser.add_argument("file", metavar="FILE", help="sweep YAML, as `wandb sweep` takes it")
    parser.add_argument("--seed", type=int, default=0, help="seed of random points (default 0)")
    parser.add_argument(
        "--parallel",
        type=count,
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
        type=count,
        metavar="N",
        default=3,
        help="begin no more points after N failed ones (default: %(default)s)",
    )
    experiment(parser)
    as_json(parser)
    dry_run(parser)


def plan(parser: argparse.ArgumentParser) -> None:
    """`harness plan`."""
    parser.add_argument("file", metavar="FILE", help="experiment or sweep YAML")
    parser.add_argument("--seed", type=int, default=0, help="seed of random points (default 0)")
    experiment(parser)
    as_json(parser)


def evaluate(parser: argparse.ArgumentParser) -> None:
    """`harness eval`."""
    parser.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        help="experiment with the settings (default: base/embedded, with --model base/served)",
    )
    models(parser)
    parser.add_argument("--name", default="eval", help="name of the row (default %(default)s)")
    problems_and_budget(parser)
    parser.add_argument("--prover", help="best_first, beam, whole_proof ... (default: what the model writes)")
    parser.add_argument("-k", type=int, action="append", help="report pass@k; may be repeated")
    service(parser, default=None, told="that of the experiment")
    experiment(parser)
    as_json(parser)
    dry_run(parser)


def train(parser: argparse.ArgumentParser) -> None:
    """`harness train`."""
    parser.add_argument(
        "stage", metavar="STAGE", help="generator, trajectories, value, grpo, expert_iteration or all"
    )
    parser.add_argument("file", metavar="FILE", help="experiment YAML")
    experiment(parser)
    as_json(parser)
    dry_run(parser)


def validate(parser: argparse.ArgumentParser) -> None:
    """`harness validate`."""
    parser.add_argument("benchmark", metavar="BENCHMARK", nargs="?")
    parser.add_argument("--attacks", action="store_true", help="instead: known ways to cheat a checker")
    parser.add_argument("--peers", action="store_true", help="--attacks: what rules of other harnesses take")
    parser.add_argument(
        "--arena", metavar="PATH", help="instead: exports of lean4export, old or new (file or folder)"
    )
    parser.add_argument(
        "--library", metavar="PROJECT", help="instead: every declaration of a Lean project's own modules"
    )
    parser.add_argument(
        "--timeout", type=float, default=60.0, help="--arena: seconds for a file; --library: for a module"
    )
    parser.add_argument("--split", default="all", help="one split (default: all)")
    parser.add_argument("--level", choices=("fast", "strict"), default="strict")
    service(parser)
    as_json(parser)


def recheck(parser: argparse.ArgumentParser) -> None:
    """`harness recheck`."""
    parser.add_argument("run", metavar="RUN", help="name, prefix or folder of a run")
    parser.add_argument("--level", choices=("fast", "strict"), default="strict")
    parser.add_argument(
        "--keep", action="store_true", help="store the verdicts as a run of its own, which boards rank apart"
    )
    service(parser, default=None, told="that of the run")
    as_json(parser)


def judge(parser: argparse.ArgumentParser) -> None:
    """`harness judge`."""
    parser.add_argument(
        "answers",
        metavar="ANSWERS",
        help="the answers: .jsonl, .json, .csv (or .gz of them), .parquet, or a folder of .lean files",
    )
    parser.add_argument("--benchmark", required=True, help="whose problems they answer")
    parser.add_argument("--split", help="its split (default: that of the benchmark)")
    parser.add_argument("--limit", type=count, metavar="N", help="only a seeded sample of N problems")
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
    parser.add_argument("--samples", type=count, metavar="N", help="take the first N answers to each problem")
    parser.add_argument(
        "--missing",
        choices=("refuse", "failed"),
        default="refuse",
        help="failed: a missing answer is not proved",
    )
    parser.add_argument("--skip-unknown", action="store_true", help="leave out answers to unknown problems")
    parser.add_argument(
        "--chosen-from",
        type=count,
        metavar="N",
        help="each answer is the best of N attempts, as in published solutions; no board ranks them",
    )
    parser.add_argument(
        "--max-tokens",
        type=count,
        metavar="N",
        help="tokens that one attempt was allowed; boards rank by it",
    )
    parser.add_argument("-k", type=count, action="append", help="report pass@k; may be repeated")
    parser.add_argument(
        "--timeout", type=float, default=60.0, help="seconds given to one check (default: 60)"
    )
    service(parser, default=None, told="repl with --project, kimina with --url, else the embedded core")
    as_json(parser)
    dry_run(parser)


def data(parser: argparse.ArgumentParser) -> None:
    """`harness data`."""
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
    service(parser)
    as_json(parser)


def adopt(parser: argparse.ArgumentParser) -> None:
    """`harness adopt`."""
    parser.add_argument("folder", metavar="DIR", help="a Hugging Face folder: config, tokenizer, safetensors")
    parser.add_argument("--as", dest="name", metavar="NAME", help="leave DIR alone: a folder of links to it")
    parser.add_argument("--copy", action="store_true", help="with --as: copies instead of links")
    parser.add_argument(
        "--parent", metavar="CHECKPOINT", help="the checkpoint that its training started from"
    )
    as_json(parser)


def spec(parser: argparse.ArgumentParser) -> None:
    """`harness spec`."""
    parser.add_argument("key", metavar="KEY", nargs="?", help="only this key and those below it")
    parser.add_argument("--schema", action="store_true", help="a JSON schema, from which editors complete")
    as_json(parser)
