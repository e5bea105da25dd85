"""The summaries of many runs at once, in as many processes as there are cores: no run waits for another."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

FROM = 24
"""Runs from which other processes pay for their start."""
MOST = 16
"""Processes at most."""
PROGRAM = "harness.analysis.summariser"


def summarise_together(folders: Sequence[Path]) -> bool:
    """Compute and keep the summaries of these runs; False where there is nothing to gain.

    Nothing is raised: a run that cannot be read or written says so to whoever reads it next.
    """
    workers = min(os.cpu_count() or 1, MOST)
    if len(folders) < FROM or workers < 2:
        return False
    top = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join([top, *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"}
    started: list[subprocess.Popen[str]] = []
    try:
        for number in range(workers):
            worker = subprocess.Popen(
                [sys.executable, "-m", PROGRAM],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                text=True,
                env=environment,
            )
            started.append(worker)
            assert worker.stdin is not None
            with suppress(BrokenPipeError), worker.stdin as lines:
                lines.write("".join(f"{folder.resolve()}\n" for folder in folders[number::workers]))
        for worker in started:
            worker.wait()
    except OSError:
        return False
    finally:
        for worker in started:
            worker.kill()
            worker.wait()
    return True
