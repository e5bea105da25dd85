"""Where a number comes from: code, packages, machine, command, checkpoints, benchmark.

What is in a run's digest decides which run it is; what is here says what made it. One entry is stored for
each session that wrote into a run, so a run finished under other code than it began with shows both.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PACKAGES = (
    "lean-harness",
    "accelerate",
    "datasets",
    "numpy",
    "openrlhf",
    "pydantic",
    "tokenizers",
    "torch",
    "transformers",
    "trl",
    "vllm",
    "wandb",
)
"""Packages whose version may change a number. Read from their metadata: none is imported."""

CODE = ("harness", "trainers", "datasets", "pyproject.toml")
"""Paths of the checkout that decide what a spec means; the values of sweep files stand in the spec itself."""

GIT_TIMEOUT_S = 10.0
_SECRET = re.compile(r"(?i)(key|token|secret|password)")


@dataclass(frozen=True, slots=True)
class Code:
    """Which code ran."""

    version: str
    """Version of the installed package."""
    commit: str | None = None
    """Git commit of the checkout that the package was imported from; None when it is no checkout."""
    describe: str | None = None
    """`git describe --tags --always`."""
    dirty: bool = False
    """Uncommitted changes in `CODE`."""
    changed: tuple[str, ...] = ()
    """The files changed, at most 20 of them."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What a run was fed with, for its provenance."""

    benchmark: str
    benchmark_revision: str
    problems: int
    """Problems owed: the denominator."""
    toolchain: str = ""
    checkpoints: Mapping[str, str] = field(default_factory=dict)
    """Digest of each checkpoint used, by role (`generator`, `value`)."""


def now() -> str:
    """The time as `2026-01-31T12:00:00Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def collect(sources: Sources, command: Sequence[str] | None = None) -> dict[str, Any]:
    """One session's provenance as plain JSON. `command` defaults to this process's, secrets struck out."""
    found = code()
    return {
        "started_at": now(),
        "finished_at": None,
        "command": scrub(sys.argv if command is None else command),
        "code": {**dataclasses.asdict(found), "changed": list(found.changed)},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "gpus": gpus(),
        "host": platform.node(),
        "pid": os.getpid(),
        "packages": versions(),
        "benchmark": sources.benchmark,
        "benchmark_revision": sources.benchmark_revision,
        "problems": sources.problems,
        "toolchain": sources.toolchain,
        "checkpoints": dict(sources.checkpoints),
    }


def code(package: Path | None = None) -> Code:
    """Which code this is. `package` is the package folder, by default the one imported from.

    Looks at the checkout that holds the package, never at the current folder: that may be any project.
    """
    version = versions(("lean-harness",)).get("lean-harness", "unknown")
    top = (package or Path(__file__).resolve().parents[1]).parent
    root = _git(top, "rev-parse", "--show-toplevel")
    if root is None or Path(root) != top or not (top / "pyproject.toml").is_file():
        return Code(version)  # installed into site-packages, perhaps inside somebody else's checkout
    commit = _git(top, "rev-parse", "HEAD")
    status = _git(top, "status", "--porcelain", "--", *CODE)
    if status is None:  # unknown is not clean
        status = "?? (git status failed)"
    changed = tuple(line.split(maxsplit=1)[1] for line in status.splitlines())
    describe = _git(top, "describe", "--tags", "--always")
    return Code(version, commit, describe, bool(changed), changed[:20])


def versions(names: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Version of each installed package of `names`."""
    return {name: version for name in names if (version := _version(name)) is not None}


@functools.cache
def _version(name: str) -> str | None:
    # Asked for at every point of a sweep, and what is installed does not change under a running process.
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def gpus() -> list[str]:
    """Name and memory of each GPU that `nvidia-smi` lists; none where it is absent or fails."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    listing = _output([program, "--query-gpu=name,memory.total", "--format=csv,noheader"])
    return [] if listing is None else listing.splitlines()


def scrub(command: Sequence[str]) -> list[str]:
    """The command without the values of options whose name speaks of a key, token, secret or password."""
    kept: list[str] = []
    hide_next = False
    for word in command:
        name, equals, _ = word.partition("=")
        secret = bool(_SECRET.search(name)) and (bool(equals) or word.startswith("-"))
        if hide_next and not word.startswith("-"):
            kept.append("***")
        elif secret and equals:
            kept.append(f"{name}=***")
        else:
            kept.append(word)
        hide_next = secret and not equals
    return kept


def _git(folder: Path, *arguments: str) -> str | None:
    """Output of a git command in `folder`; None when git is absent or refuses.

    Without optional locks: `status` would refresh the index under one, and a kill in that moment would leave
    the lock in the user's checkout, where few git commands work any more.
    """
    return _output(["git", "--no-optional-locks", "-C", str(folder), *arguments])


def _output(command: list[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
