"""The real Kimina server beside the project, where it is installed, over the embedded core's REPL program."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[3]
START = ROOT / ".." / "shared" / "kimina" / "start.sh"


def missing() -> str:
    """Why it cannot be started; empty when it can."""
    if not START.is_file() or shutil.which("bash") is None:
        return "no Kimina server beside the project"
    home = Path(os.environ.get("KIMINA_HOME", Path.home() / ".cache" / "kimina"))
    if not (home / "venv" / "bin" / "kimina-ast-server").exists():
        return "the Kimina server is not installed; run its start.sh once"
    return ""


@contextmanager
def kimina_server(folder: Path, repls: int = 1) -> Iterator[str]:
    """The URL of a server with `repls` REPLs, for as long as the block runs; its files lie in `folder`."""
    wrapper = folder / "repl"  # the server gives its REPLs a path of its own
    wrapper.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m harness.lean.core\n')
    wrapper.chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"LEAN_SERVER_MAX_REPLS": str(repls)}
    environment.pop("LEAN_SERVER_API_KEY", None)
    started = subprocess.run(
        ["bash", str(START), str(port), str(wrapper)],
        env=environment, capture_output=True, text=True, timeout=600, check=True,
    )  # fmt: skip
    group = int(started.stdout.split()[0])
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(group, signal.SIGTERM)
