"""`harness serve lean`: a Kimina-compatible Lean server on this machine."""

from __future__ import annotations

import argparse

from harness.commands.common import need
from harness.lean.services.opening import serve_lean
from harness.spec import LeanSpec


def main(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM, which end it cleanly."""
    need(0 <= args.port <= 65535, f"--port {args.port}: must lie between 0 and 65535")
    need(args.workers >= 1, f"--workers {args.workers}: must be at least 1")
    need(args.timeout > 0, f"--timeout {args.timeout:g}: must be above 0 seconds")
    need(args.memory_mb >= 64, f"--memory-mb {args.memory_mb}: must be at least 64")
    spec = LeanSpec(
        service="repl",
        project=args.project,
        workers=args.workers,
        timeout_s=args.timeout,
        memory_mb=args.memory_mb,
    )
    serve_lean(spec, args.host, args.port)  # says itself where it listens, once it does
    return 0
