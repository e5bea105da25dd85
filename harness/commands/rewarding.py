"""`harness reward`: rewards over HTTP for other trainers, or the settings for reward functions."""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

from harness.commands import common
from harness.errors import UserError
from harness.experiment import files
from harness.experiment.selection import select
from harness.experiment.spec import ExperimentSpec
from harness.records.journal import make_folder
from harness.serving.web import listen
from trainers import judge
from trainers.reward_server import RewardServer


def main(args: argparse.Namespace) -> int:
    """Write the settings; then, unless that was all, serve until Ctrl-C or SIGTERM."""
    common.need(0 <= args.port <= 65535, f"--port {args.port}: must lie between 0 and 65535")
    spec = files.load(files.find(args.file), common.overrides(args))
    path = _write(spec, (args.runs / "reward" / spec.name).absolute(), args.runs)
    print(f"export {judge.SETTINGS_VARIABLE}={path}", flush=True)
    if not args.write:
        try:
            asyncio.run(_serve(judge.Settings.read(path), args.host, args.port))
        except OSError as cause:
            raise UserError(
                f"cannot listen on {args.host}:{args.port}: {cause.strerror}; choose another --port"
            ) from cause
    return 0


def _write(spec: ExperimentSpec, folder: Path, runs: Path) -> Path:
    make_folder(folder)
    problems, path = folder / "problems.jsonl", folder / "reward.json"
    judge.write_problems(problems, select(spec.trained_on, spec.seed))
    settings = spec.improve.openrlhf
    judge.Settings(
        lean=spec.lean,
        problems=problems,
        verdicts=(runs / "verdicts").absolute(),
        concurrency=settings.verify_concurrency,
        deadline_s=settings.verify_deadline_s,
        unscored_in_a_row=settings.unscored_in_a_row,
    ).write(path)
    return path


async def _serve(settings: judge.Settings, host: str, port: int) -> None:
    court = judge.Judge(settings)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    server = await listen(RewardServer(court).respond, host, port)
    bound = server.sockets[0].getsockname()[1]
    print(f"rewards on http://{host}:{bound}", flush=True)
    try:
        await stopped.wait()
    finally:
        server.close()
        await court.close()
