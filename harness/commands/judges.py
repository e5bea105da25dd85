"""The verifier that the options of a command ask for."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from harness.commands.common import need_all
from harness.errors import ServiceDown, ServiceTimeout, UserError
from harness.experiment.preflight import CORE, can_judge, other_toolchains
from harness.lean.services.opening import open_services
from harness.protocols import Verifier
from harness.spec import LeanSpec
from harness.types import Problem


def lean_spec(args: argparse.Namespace) -> LeanSpec:
    """`--lean`, `--project`, `--url` and `--workers` as a section. Raises `UserError` if they clash."""
    strict = getattr(args, "level", "strict") == "strict"
    need_all(
        (args.workers >= 1, f"--workers {args.workers}: must be at least 1"),
        (not args.url or args.lean == "kimina", "--url: names a Kimina server; add --lean kimina"),
        (args.lean != "kimina" or bool(args.url), "--lean kimina: needs --url, as http://127.0.0.1:8000"),
        (
            args.project is None or args.lean != CORE,
            "--project: is for real Lean; add --lean repl or --lean file",
        ),
        (args.project is not None or args.lean != "file", "--lean file: needs --project, a folder with Lean"),
        (args.judge == "text" or strict, "--judge compiled: is for --level strict"),
    )
    return LeanSpec(
        service=args.lean,
        project=args.project,
        urls=tuple(args.url),
        workers=args.workers,
        judge=args.judge,
    )


def named(spec: LeanSpec) -> str:
    """The service for people."""
    return "the embedded core's REPL" if spec.service == "repl" and spec.project is None else spec.service


@asynccontextmanager
async def judge(spec: LeanSpec) -> AsyncIterator[Verifier]:
    """A verifier that has judged nothing yet: what these commands find is never an earlier verdict.

    Raises `ServiceDown` when none of the spec's Kimina servers answers.
    """
    await _reach(spec.urls if spec.service == "kimina" else ())
    services = open_services(spec)
    try:
        yield services.verifier
    finally:
        await services.close()


async def _reach(urls: Sequence[str]) -> None:
    """Return when one server answers, whatever it says; else raise: a list of failed checks tells nothing."""
    from harness.lean.services.kimina_client import KiminaServer, Reach
    from harness.serving.http import HttpFault

    unreached: ServiceDown | None = None
    for url in urls:
        server = KiminaServer(url, Reach(1.0), connections=1)
        try:
            await server.health()
            return
        except (HttpFault, ServiceTimeout):
            return
        except ServiceDown as cause:
            unreached = cause
        finally:
            await server.close()
    if unreached is not None:
        raise unreached


def check_can_judge(spec: LeanSpec, problems: Sequence[Problem], name: str) -> None:
    """Raise `UserError` unless the service speaks these problems' Lean."""
    if can_judge(spec, problems):
        return
    raise UserError(
        f"{name}: is written for {other_toolchains(problems)}, which the embedded core cannot judge; "
        "add --lean repl --project DIR (or --lean file), or --lean kimina --url URL"
    )
