"""The command line: which command is meant, signals, exit codes, and nothing else.

Exit codes: 0 done; 1 the machine failed, or a check found something; 2 the user's mistake; 130 interrupted.
Commands live in `harness.commands`, imported when they are called; `harness.arguments` has what they take.
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

from harness import __version__
from harness.arguments import experiments, records, serving, shared
from harness.errors import HarnessError, UserError
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
Add = Callable[[argparse.ArgumentParser], None]
AGENT = "WANDB_SWEEP_ID"
"""Set by `wandb agent` for the points that it runs."""
TERMINATED: list[int] = []
"""SIGTERM, once it has come."""

COMMANDS: dict[str, tuple[str, str, Add]] = {
    "run": ("run", "run one experiment, or one point of a sweep", experiments.run),
    "sweep": ("sweep", "run every point of a sweep file here, without a server", experiments.sweep),
    "plan": (
        "planning",
        "the processes of an experiment or sweep, and what they will cost",
        experiments.plan,
    ),
    "eval": ("evaluation", "measure a checkpoint on a benchmark", experiments.evaluate),
    "train": ("training", "run the training stages alone", experiments.train),
    "validate": ("validation", "check every gold proof of a benchmark", experiments.validate),
    "compare": (
        "comparison",
        "paired comparison of stored runs, or of checkpoints that are measured first",
        records.compare,
    ),
    "leaderboard": ("board", "rank stored runs", records.leaderboard),
    "runs": ("runs", "list stored runs, or follow one", records.runs),
    "show": ("show", "one run, one problem with its proof, or a training curve", records.show),
    "tree": ("tree", "the search tree of one problem", records.tree),
    "replay-search": (
        "tree",
        "what another alpha would have expanded, from stored trees",
        records.replay_search,
    ),
    "recheck": ("recheck", "judge the stored proofs of a run again", experiments.recheck),
    "judge": (
        "answers",
        "judge proofs that were generated elsewhere, and store them as a run",
        experiments.judge,
    ),
    "publish": (
        "publish",
        "send stored runs to W&B; what it has is not sent again",
        records.publish,
    ),
    "data": ("data", "list, show, fetch and check benchmarks; count trajectories", experiments.data),
    "adopt": ("adopting", "make a plain Hugging Face folder a checkpoint", experiments.adopt),
    "prompts": ("prompts", "list the ways in which published provers are asked", records.prompts),
    "serve": ("serve", "serve Lean, or suggestions for editors, over HTTP", serving.serve),
    "suggest": ("suggest", "tactics for one state, tried in Lean", serving.suggest),
    "premises": ("premises", "retrieve premises: recall and MRR, or for one state", serving.premises),
    "reward": ("rewarding", "serve Lean's verdicts as rewards to other trainers", serving.reward),
    "up": ("servers", "start the servers of a profile and wait until they are well", serving.servers),
    "status": ("servers", "how the servers of a profile do; 1 when one is not up", serving.servers),
    "down": ("servers", "end the servers of a profile", serving.servers),
    "spec": ("spec", "every key of an experiment file: type, default, help", experiments.spec),
    "doctor": ("doctor", "what is installed and reachable here", records.nothing),
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
        add(commands.add_parser(name, help=text, description=text, parents=[shared.everywhere()]))
    return top


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
