"""What is installed and reachable on this machine, found without importing any of it. Takes under 2 s."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
import urllib.error
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.devices import cores
from harness.extras import EXTRAS, how_to_install
from harness.serving import health
from harness.tracking.spool import choose_mode, logged_in

State = Literal["ok", "absent", "wrong"]
WAIT_S = 1.0
"""Given to a program or a server to answer; all are asked one after the other."""
LOW_DISK = 5 * 2**30
"""Bytes free below which checkpoints of real models will not fit."""

_JUDGES = {
    "leanchecker": ("HARNESS_LEANCHECKER", "the kernel's replay of strict verdicts of real Lean"),
    "safe_verify": ("HARNESS_SAFEVERIFY", "SafeVerify's comparison behind strict verdicts of real Lean"),
    "comparator": ("HARNESS_COMPARATOR", "the sandboxed comparator behind strict verdicts of real Lean"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked for."""

    section: str
    name: str
    state: State
    """`absent`: optional and not there; `wrong`: the embedded default will not work, or what was set up
    does not."""
    detail: str
    enables: str = ""
    """What it would make possible, when it is not there."""
    fix: str = ""
    """The command, or the setting, that changes that."""


def examine(runs: Path, environment: Mapping[str, str] = os.environ) -> list[Finding]:
    """Everything there is to say about this machine, with `runs` as the runs folder."""
    return [
        *_packages(),
        *_machine(environment),
        *_lean(environment),
        *_judges(environment),
        _wandb(environment),
        *_storage(runs),
    ]


def _packages() -> Iterator[Finding]:
    yield Finding("packages", "python", "ok", platform.python_version())
    for extra, what in EXTRAS.items():
        for module in what.modules:
            version = _version(module.replace("_", "-"))
            if version is None:
                enables, fix = f"{what.enables} (extra `{extra}`)", how_to_install(extra)
                yield Finding("packages", module, "absent", "not installed", enables, fix)
            else:
                yield Finding("packages", module, "ok", version)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _machine(environment: Mapping[str, str]) -> Iterator[Finding]:
    yield Finding("machine", "cpu", "ok", f"{cores()} cores for this process")
    memory = _memory()
    if memory is not None:
        yield Finding("machine", "memory", "ok", f"{memory / 2**30:.1f} GiB")
    enables = "large generators, vLLM and bf16; the embedded default needs none"
    program = shutil.which("nvidia-smi", path=environment.get("PATH"))
    if program is None:
        fix = "use a machine with an NVIDIA GPU and its driver"
        yield Finding("machine", "gpu", "absent", "no nvidia-smi on the PATH", enables, fix)
        return
    asked = [program, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        answer = subprocess.run(asked, capture_output=True, text=True, timeout=WAIT_S, check=True).stdout
    except (OSError, subprocess.SubprocessError) as cause:
        detail = f"nvidia-smi does not answer ({type(cause).__name__})"
        yield Finding("machine", "gpu", "wrong", detail, enables, "nvidia-smi")
        return
    for line in answer.strip().splitlines() or ["none"]:
        yield Finding("machine", "gpu", "ok", line.strip())


def _memory() -> int | None:
    """Bytes that this process may use: the machine's, or what its container allows."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None
    try:
        return min(whole, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    except (OSError, ValueError):
        return whole


def _lean(environment: Mapping[str, str]) -> Iterator[Finding]:
    wished = environment.get("HARNESS_LAKE", "lake")
    lake = shutil.which(wished, path=environment.get("PATH"))
    if lake is None:
        install = "curl -sSf https://elan.lean-lang.org/elan-init.sh | sh"
        why = "real Lean with Mathlib (lean.service: repl); the embedded core needs none"
        yield Finding("lean", "lake", "absent", f"no {wished} on the PATH", why, install)
    else:
        yield Finding("lean", "lake", "ok", lake)
    project, why = environment.get("HARNESS_LEAN_PROJECT"), "the tests that need a real Lean"
    if not project:
        fix = "export HARNESS_LEAN_PROJECT=<a built Lean project>"
        yield Finding("lean", "project", "absent", "HARNESS_LEAN_PROJECT is not set", why, fix)
    elif not any((Path(project) / name).is_file() for name in ("lakefile.toml", "lakefile.lean")):
        fix = "point HARNESS_LEAN_PROJECT at a built Lean project"
        yield Finding("lean", "project", "wrong", f"{project} holds no lakefile", why, fix)
    else:
        yield Finding("lean", "project", "ok", project)
    yield _kimina(environment.get("LEAN_SERVER_API_URL"))


def _kimina(url: str | None) -> Finding:
    why = "verdicts of real Lean from Kimina servers (lean.service: kimina)"
    if not url:
        fix = "export LEAN_SERVER_API_URL=http://HOST:8000, or start one: harness serve lean --project DIR"
        return Finding("lean", "kimina", "absent", "LEAN_SERVER_API_URL is not set", why, fix)
    fix = "start the server, or mend LEAN_SERVER_API_URL"
    try:
        status = health.status(url, WAIT_S)
    except urllib.error.HTTPError as cause:
        return Finding("lean", "kimina", "wrong", f"{url} answers {cause.code} to /health", why, fix)
    except urllib.error.URLError as cause:
        return Finding("lean", "kimina", "wrong", f"{url} cannot be reached: {cause.reason}", why, fix)
    except (OSError, ValueError) as cause:
        return Finding("lean", "kimina", "wrong", f"{url} cannot be reached: {cause}", why, fix)
    return Finding("lean", "kimina", "ok", f"{url} answers {status}")


def _judges(environment: Mapping[str, str]) -> Iterator[Finding]:
    for program, (variable, why) in _JUDGES.items():
        named = environment.get(variable)
        path = shutil.which(named or program, path=environment.get("PATH"))
        if path:
            yield Finding("judges", program, "ok", path)
        elif named:
            detail = f"{variable} is {named}, which is no program"
            yield Finding("judges", program, "wrong", detail, why, f"mend or unset {variable}")
        else:
            fix = f"build it with the project's Lean and export {variable}=<its path>"
            yield Finding("judges", program, "absent", "not on the PATH", why, fix)


def _wandb(environment: Mapping[str, str]) -> Finding:
    mode = choose_mode("auto", environment)
    if mode == "off":
        return Finding("tracking", "wandb", "ok", "turned off by WANDB_MODE")
    if logged_in(environment):
        return Finding("tracking", "wandb", "ok", f"a key is at hand; tracking.wandb: auto is {mode}")
    why = "live W&B runs and sweeps; without it runs are kept offline for `wandb sync`"
    return Finding(
        "tracking", "wandb", "absent", f"no key; tracking.wandb: auto is {mode}", why, "wandb login"
    )


def _storage(runs: Path) -> Iterator[Finding]:
    folder = runs.absolute()
    place = next((path for path in (folder, *folder.parents) if path.exists()), Path("/"))
    fix = "give another folder with --runs or HARNESS_RUNS"
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        why = "runs and stages to be kept"
        yield Finding("storage", "runs", "wrong", f"{folder}: {place} cannot be written", why, fix)
    else:
        told = "writable" if place == folder else "not there yet, can be made"
        yield Finding("storage", "runs", "ok", f"{folder} ({told})")
    free = shutil.disk_usage(place).free
    detail = f"{free / 2**30:.1f} GiB free"
    if free < LOW_DISK:
        why = "checkpoints of large models; the embedded default keeps some tens of MiB"
        yield Finding("storage", "disk", "absent", detail, why, fix)
    else:
        yield Finding("storage", "disk", "ok", detail)
