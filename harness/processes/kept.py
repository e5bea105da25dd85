"""Programs that run under a keeper: what is started, what it sees, and its certain end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

KEEPER = Path(__file__).with_name("keeper.py")


@dataclass(frozen=True, slots=True)
class Process:
    """One process to start."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    """Set beside what is inherited."""
    dropped: tuple[str, ...]
    """Inherited variables that it must not see."""
    gpus: tuple[int, ...]
    """Places among the GPUs that may be used."""
    cpus: int
    """Cores that it needs at least."""
    files: tuple[Path, ...]
    """What is written for it before it starts."""
    log: Path


def exit_file(process: Process, folder: Path) -> Path:
    """Where the keeper tells how it ended."""
    return folder / f"{process.name}.exit.json"


@contextmanager
def kept(process: Process, folder: Path, grace_s: float) -> Iterator[subprocess.Popen[bytes]]:
    """The process under its keeper; at the end of the block it and all its descendants have ended."""
    told = exit_file(process, folder)
    told.unlink(missing_ok=True)
    keeper = subprocess.Popen(
        [sys.executable, "-I", str(KEEPER), str(told), str(process.log), str(grace_s), *process.argv],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=environment(process),
        start_new_session=True,  # Ctrl-C is for us; the keeper hears of it through its lifeline.
    )
    try:
        yield keeper
    finally:
        assert keeper.stdin is not None
        keeper.stdin.close()
        try:
            keeper.wait(grace_s + 60)
        except subprocess.TimeoutExpired:
            keeper.kill()
            keeper.wait()


def environment(process: Process, inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What the process sees: the inherited variables, secrets among them, with the plan's own changes."""
    own = {name: value for name, value in inherited.items() if name not in process.dropped}
    source = str(Path(__file__).parents[2])
    paths = [source, *(path for path in own.get("PYTHONPATH", "").split(os.pathsep) if path)]
    own["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    if process.gpus:
        seen = [item for item in own.get("CUDA_VISIBLE_DEVICES", "").split(",") if item]
        chosen = [seen[place] if place < len(seen) else str(place) for place in process.gpus]
        own["CUDA_VISIBLE_DEVICES"] = ",".join(chosen)
    return own | dict(process.environment)
