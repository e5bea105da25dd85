"""`harness serve`: a Kimina-compatible Lean server, or suggestions for editors, on this machine."""

from __future__ import annotations

import argparse
import ipaddress
import os
import sys

from harness import extras
from harness.commands import suggest
from harness.commands.common import need_all
from harness.lean.services.kimina_client import KEY_VARIABLE
from harness.lean.services.opening import serve_lean
from harness.spec import LeanSpec


def main(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM, which end it cleanly; each server says itself where it listens."""
    _check(args)
    extras.need("serve")
    if not os.environ.get(KEY_VARIABLE) and not _is_loopback(args.host):
        print(
            f"harness: warning: --host {args.host} lets everybody who reaches this machine run Lean on it; "
            f"set {KEY_VARIABLE} to ask for a key",
            file=sys.stderr,
        )
    if args.what == "suggest":
        suggest.serve(args)
        return 0
    spec = LeanSpec(
        service="repl",
        project=args.project,
        workers=args.workers,
        timeout_s=args.timeout,
        memory_mb=args.memory_mb,
    )
    serve_lean(spec, args.host, args.port)
    return 0


def _check(args: argparse.Namespace) -> None:
    checks = [(0 <= args.port <= 65535, f"--port {args.port}: must lie between 0 and 65535")]
    if args.what == "lean":
        checks += [
            (args.workers >= 1, f"--workers {args.workers}: must be at least 1"),
            (args.timeout > 0, f"--timeout {args.timeout:g}: must be above 0 seconds"),
            (args.memory_mb >= 64, f"--memory-mb {args.memory_mb}: must be at least 64"),
        ]
    need_all(*checks)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
