"""Arguments of the commands that serve, suggest and retrieve."""

from __future__ import annotations

import argparse
import os

from harness.arguments.shared import address, as_json, count, everywhere, experiment, models, service


def premises(parser: argparse.ArgumentParser) -> None:
    """`harness premises`."""
    parser.add_argument(
        "corpus", metavar="CORPUS", help="core, or the folder of a LeanDojo Benchmark with its corpus.jsonl"
    )
    parser.add_argument("--setting", default="random", help="its split: random (default) or novel_premises")
    parser.add_argument("--split", default="test", help="train, val or test (default)")
    parser.add_argument("-k", type=count, action="append", help="recall@k (default 1, 10, 100); repeatable")
    parser.add_argument("--encoder", metavar="NAME", help="a model instead of counted words")
    parser.add_argument("--server", metavar="URL", action="append", default=[], help="where it is served")
    parser.add_argument("--revision", metavar="COMMIT", help="which weights its name stands for")
    parser.add_argument("--limit", type=count, metavar="N", help="only the first N theorems")
    parser.add_argument("--state", metavar="GOAL", help="instead: the nearest premises of this goal")
    parser.add_argument("--write", metavar="DIR", help="instead, for core: write it in LeanDojo's format")
    as_json(parser)


def serve(parser: argparse.ArgumentParser) -> None:
    """`harness serve`."""
    kinds = parser.add_subparsers(dest="what", metavar="WHAT", required=True)

    def kind(name: str, told: str, port: int) -> argparse.ArgumentParser:
        found = kinds.add_parser(name, help=told, description=told, parents=[everywhere(argparse.SUPPRESS)])
        address(found, port)
        return found

    lean = kind("lean", "a Kimina-compatible Lean server over the own pool", 8000)
    lean.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    lean.add_argument("--project", help="Lean project folder; default: the embedded core")
    lean.add_argument("--timeout", type=float, default=60.0, help="seconds given to one check")
    lean.add_argument("--memory-mb", type=int, default=8192, help="limit of one REPL process")
    suggesting(kind("suggest", "tactics for editors, in llmstep's format", 5000))


def suggest(parser: argparse.ArgumentParser) -> None:
    """`harness suggest`."""
    parser.add_argument(
        "state",
        metavar="STATE",
        nargs="?",
        help="a goal as Lean prints it, or Lean text up to the cursor: itself, in a file, or - for stdin",
    )
    parser.add_argument("--prefix", default="", help="what the tactics have to begin with")
    suggesting(parser)


def suggesting(parser: argparse.ArgumentParser) -> None:
    """What suggests."""
    parser.add_argument(
        "--experiment",
        dest="file",
        metavar="FILE",
        help="experiment with models and search settings (default: base/embedded, with --model base/served)",
    )
    parser.add_argument("--symbolic", action="store_true", help="a fixed list of tactics; no model is asked")
    parser.add_argument("--count", type=int, default=8, help="tactics (default %(default)s)")
    parser.add_argument("--header", help="what stands before a goal (default with real Lean: import Mathlib)")
    models(parser)
    service(parser, default=None, told="that of the experiment")
    experiment(parser)
    as_json(parser)


def reward(parser: argparse.ArgumentParser) -> None:
    """`harness reward`."""
    parser.add_argument("file", metavar="FILE", help="experiment YAML: its lean and train sections")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8200)
    parser.add_argument("--write", action="store_true", help="only write the settings, serve nothing")
    experiment(parser)
    as_json(parser)


def servers(parser: argparse.ArgumentParser) -> None:
    """`harness up`, `status`, `down`."""
    parser.add_argument("file", metavar="PROFILE", help="experiment YAML whose node.servers are meant")
    experiment(parser)
    as_json(parser)
