"""`harness reward`: rewards over HTTP for other trainers, or the settings for reward functions."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from harness.commands import common
from harness.experiment import files
from harness.experiment.selection import select
from harness.experiment.spec import ExperimentSpec
from harness.records.journal import make_folder
from harness.serving.web import listening, until_stopped
from trainers import judge
from trainers.reward_server import reward_server


def main(args: argparse.Namespace) -> int:
    """Write the settings; then, unless that was all, serve until Ctrl-C or SIGTERM."""
    common.need(0 <= args.port <= 65535, f"--port {args.port}: must lie between 0 and 65535")
    spec = files.load(files.find(args.file), common.overrides(args))
    path = _write(spec, (args.runs / "reward" / spec.name).absolute(), args.runs)
    print(f"export {judge.SETTINGS_VARIABLE}={path}", flush=True)
    if not args.write:
        asyncio.run(_serve(judge.Settings.read(path), args.host, args.port))
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
        format_penalty=spec.grpo.format_penalty,
    ).write(path)
    return path


async def _serve(settings: judge.Settings, host: str, port: int) -> None:
    court = judge.Judge(settings)
    try:
        async with listening(reward_server(court), host, port) as url:
            print(f"rewards on {url}", flush=True)
            await until_stopped()
    finally:
        await court.close()
