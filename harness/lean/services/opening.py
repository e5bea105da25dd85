"""From an experiment's `lean:` section to a verifier and to step sessions."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from harness import __version__
from harness.devices import cores
from harness.errors import UserError
from harness.lean.services.pool import ReplPool
from harness.lean.services.repl import INTERACT, LAKEFILES, Program
from harness.lean.services.text_steps import TextSessions
from harness.lean.services.worker import PoolSettings
from harness.lean.verdicts.cache import CachedVerifier, VerdictCache
from harness.paths import indexes
from harness.protocols import Sessions, Verifier
from harness.spec import LeanSpec
from harness.types import content_hash

if TYPE_CHECKING:
    from harness.lean.services.file import FileVerifier


@dataclass(frozen=True, slots=True)
class LeanServices:
    """A verifier and a source of step sessions that share what they start. One event loop for their life."""

    verifier: Verifier
    sessions: Sessions
    _closers: tuple[Callable[[], Awaitable[None]], ...] = field(default=())

    async def close(self) -> None:
        """Stop everything that was started."""
        for closer in self._closers:
            await closer()


def open_services(spec: LeanSpec, cache_dir: Path | None = None) -> LeanServices:
    """What `spec` asks for: the service that judges, and the one that applies tactics, often the same.

    Nothing is started or connected yet. Where stronger judges are installed (see `harness.paths`) and
    `lean.project` is set, strict verdicts of `file`, `repl` and `kimina` pass through them and carry their
    tier. Verdicts are kept in memory, and under `cache_dir` too when it is given. Raises `UserError` when the
    section does not fit together.
    """
    judging = _open(spec, cache_dir)
    if spec.step is None:
        return judging
    stepping = _open(spec.stepping, None)
    return LeanServices(judging.verifier, stepping.sessions, (judging.close, stepping.close))


def _open(spec: LeanSpec, cache_dir: Path | None) -> LeanServices:
    _need_lake(spec)
    if spec.service == "core":
        return _core(spec, cache_dir)
    if spec.service == "file":
        return _file(spec, cache_dir)
    if spec.service == "repl":
        return _repl(spec, cache_dir)
    return _kimina(spec, cache_dir)


def _need_lake(spec: LeanSpec) -> None:
    """Raises `UserError` where Lean is started by `lake`, which is not there."""
    if spec.project is None or shutil.which("lake") is not None:
        return
    folder = Path(spec.project).expanduser()
    if spec.project == INTERACT or any((folder / name).is_file() for name in LAKEFILES):
        raise UserError(
            f"lean.project: {spec.project} is a Lean project, and lake is not on the PATH; install Lean "
            "(https://lean-lang.org/install), or name a folder that has bin/lean, with --lean file"
        )


def pool_settings(spec: LeanSpec) -> PoolSettings:
    """Size and limits of the pool that `repl` and the Lean server use."""
    return PoolSettings(
        workers=spec.workers,
        timeout_s=spec.timeout_s,
        header_timeout_s=max(5 * spec.timeout_s, 60.0),
        recycle_after=spec.recycle_after,
    )


def serve_lean(spec: LeanSpec, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Run the Kimina-compatible server over a pool until SIGINT or SIGTERM.

    Raises `UserError` when the address cannot be had, `MissingExtra` without the server's packages.
    """
    from harness.lean.services.server import serve

    asyncio.run(serve(program_of(spec), pool_settings(spec), host, port))


def program_of(spec: LeanSpec) -> Program:
    """The REPL program of a spec: the project's, else the embedded core's."""
    if spec.project is None:
        return Program.of_core(spec.memory_mb)
    return Program.of_project(spec.project, spec.memory_mb)


def _core(spec: LeanSpec, cache_dir: Path | None) -> LeanServices:
    if spec.judge == "compiled":
        raise UserError(
            "lean.judge: compiled is for real Lean; the embedded core's own kernel judges already"
        )
    from harness.lean.services.embedded import CoreSessions, CoreVerifier
    from harness.lean.services.embedded_beside import CoreBeside

    limits = spec.heartbeats, spec.timeout_s
    here = cores() == 1
    judge = CoreVerifier(*limits) if here else CoreBeside(*limits, spec.workers, spec.max_attempts)
    verifier = _cached(judge, spec, cache_dir)
    return LeanServices(verifier, CoreSessions(spec.heartbeats, spec.timeout_s), (verifier.close,))


def _file(spec: LeanSpec, cache_dir: Path | None) -> LeanServices:
    verifier = file_verifier(spec)
    cached = _strict(verifier, spec, cache_dir)
    sessions = TextSessions(verifier.ask, spec.heartbeats, import_first=False)
    return LeanServices(cached, sessions, (cached.close,))


def file_verifier(spec: LeanSpec) -> FileVerifier:
    """Plain `lean` of the spec's project. Raises `UserError` without one."""
    from harness.lean.services.file import FileLimits, FileVerifier, LeanCommand

    if spec.project is None:
        raise UserError(
            "lean.project: file needs one, the folder of a Lean project or of a Lean installation"
        )
    limits = FileLimits(spec.workers, spec.timeout_s, spec.memory_mb, spec.max_attempts)
    return FileVerifier(LeanCommand.of_project(spec.project), limits, spec.heartbeats)


def _repl(spec: LeanSpec, cache_dir: Path | None) -> LeanServices:
    from harness.lean.services.pooled import ReplSessions, ReplVerifier

    pool = ReplPool(program_of(spec), pool_settings(spec))
    verifier = _strict(ReplVerifier(pool, spec.heartbeats, spec.max_attempts), spec, cache_dir)
    return LeanServices(verifier, ReplSessions(pool, spec.heartbeats, spec.max_attempts), (verifier.close,))


def _kimina(spec: LeanSpec, cache_dir: Path | None) -> LeanServices:
    from harness.lean.services.kimina import KiminaVerifier, Retries
    from harness.lean.services.kimina_client import Reach

    if not spec.urls:
        raise UserError("lean.urls: kimina needs at least one server, for example [http://127.0.0.1:8000]")
    verifier = KiminaVerifier(
        spec.urls, Reach(spec.timeout_s), spec.workers, Retries(spec.max_attempts), spec.heartbeats
    )
    cached = _strict(verifier, spec, cache_dir)
    sessions = TextSessions(verifier.ask, spec.heartbeats, import_first=True)
    return LeanServices(cached, sessions, (cached.close,))


def _strict(verifier: Verifier, spec: LeanSpec, cache_dir: Path | None) -> CachedVerifier:
    """`verifier` with every stronger judge that is asked for, or installed for the spec's project."""
    from harness.lean.verdicts.external import Strengthened, installed_tools

    folder = None if spec.project in (None, INTERACT) else Path(spec.project).expanduser().resolve()
    if spec.judge == "compiled":
        verifier = _second_kernel(verifier, spec, folder)
    # What fits a REPL's memory must fit theirs, so that they never refuse for want of it.
    tools = installed_tools(os.environ, folder, 2 * spec.memory_mb)
    if not tools:
        return _cached(verifier, spec, cache_dir)
    strengthened = Strengthened(verifier, tools, spec.heartbeats)
    return _cached(strengthened, spec, cache_dir, [tool.label for tool in tools])


def _second_kernel(verifier: Verifier, spec: LeanSpec, folder: Path | None) -> Verifier:
    from harness.lean.services.file import LeanCommand
    from harness.lean.services.second_kernel import JudgeLimits, SecondKernel

    if folder is None:
        raise UserError(
            "lean.judge: compiled needs lean.project, the Lean that compiles; or set judge to text"
        )
    limits = JudgeLimits(spec.workers, spec.timeout_s, spec.memory_mb)
    return SecondKernel(verifier, LeanCommand.of_project(str(folder)), indexes(), limits, spec.heartbeats)


def _cached(
    verifier: Verifier, spec: LeanSpec, cache_dir: Path | None, judges: Sequence[str] = ()
) -> CachedVerifier:
    place = spec.project or ",".join(sorted(spec.urls)) if spec.service != "core" else ""
    name = f"{spec.service} {verifier_version()} {place} heartbeats={spec.heartbeats} judge={spec.judge}"
    return CachedVerifier(verifier, VerdictCache(cache_dir), " ".join([name, *judges]))


@lru_cache(maxsize=1)
def verifier_version() -> str:
    """A hash of what judges (this package's Python and Lean sources): no other code's verdict is reused."""
    sources = sorted(p for p in Path(__file__).parents[1].rglob("*") if p.suffix in (".py", ".lean"))
    return content_hash([__version__, *(path.read_text(encoding="utf-8") for path in sources)])
