"""Arguments that several commands take."""

from __future__ import annotations

import argparse
import os
from typing import Any

from harness.paths import expanded


def count(text: str) -> int:
    """A whole number above 0; raises what argparse makes one line of."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def problems_and_budget(parser: argparse._ActionsContainer) -> None:
    """What is attempted, and how often."""
    parser.add_argument("--benchmark", help="benchmark to prove (default: that of the first evaluation)")
    parser.add_argument("--split", help="its split")
    parser.add_argument("--limit", type=int, help="a seeded sample of this many problems")
    parser.add_argument("--alpha", type=float, help="weight of log-probability, 0 to 1")
    parser.add_argument("--samples", type=int, help="attempts per problem")
    parser.add_argument("--repairs", type=int, help="times that a refused whole proof is shown again")


def models(parser: argparse.ArgumentParser) -> None:
    """A model from outside."""
    parser.add_argument("--model", metavar="NAME", help="a model from outside: a folder, or a name")
    parser.add_argument(
        "--server", metavar="URL", action="append", default=[], help="where it is served; may be repeated"
    )
    parser.add_argument("--prompt", metavar="FAMILY", help="how it is asked; see harness prompts")
    parser.add_argument("--revision", metavar="COMMIT", help="which weights its name stands for")
    parser.add_argument("--generator", metavar="PATH", help="generator checkpoint instead of a trained one")
    parser.add_argument("--value", metavar="PATH", help="value checkpoint instead of a trained one")


def address(parser: argparse.ArgumentParser, port: int) -> None:
    """Where a server listens."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=port, help="its port (default %(default)s; 0: any)")


def as_json(parser: argparse._ActionsContainer) -> None:
    """`--json`."""
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")


def service(
    parser: argparse._ActionsContainer, default: str | None = "core", told: str = "the embedded core"
) -> None:
    """Which Lean judges, and how."""
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


def experiment(parser: argparse._ActionsContainer) -> None:
    """Changes to an experiment file."""
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


def dry_run(parser: argparse._ActionsContainer) -> None:
    """`--dry-run`."""
    parser.add_argument("--dry-run", action="store_true", help="show what is cached and what would run")


def everywhere(default: Any = None) -> argparse.ArgumentParser:
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
