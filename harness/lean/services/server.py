"""A Kimina-compatible Lean server over the pool, for machines without Docker: `harness serve lean`.

Differences from the original, all for the better: one snippet's crash is that snippet's error, never the
batch's; errors in the imports are reported; a snippet without imports gets an environment of its own; a REPL
whose answers are out of step is replaced before anybody else gets one.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError, InfraError, ServiceTimeout
from harness.lean.services.kimina_client import KEY_VARIABLE
from harness.lean.services.pool import ReplPool
from harness.lean.services.repl import Program
from harness.lean.services.worker import Lease, PoolSettings, split_imports
from harness.serving.web import Handle, JsonAnswer, application, listening, until_stopped

if TYPE_CHECKING:
    from starlette.applications import Starlette

INFOTREES = frozenset({"full", "tactics", "original", "substantive"})


@dataclass(frozen=True, slots=True)
class Posted:
    """One snippet of a request."""

    id: str | int
    code: str


LONGEST_TIMEOUT_S = 86_400


class _Invalid(HarnessError):
    """A body that the API does not allow."""


Results = Callable[[Mapping[str, Any]], Awaitable[list[dict[str, Any]]]]


def _answering(results: Results) -> Handle:
    async def handle(body: Any) -> JsonAnswer:
        try:
            if not isinstance(body, Mapping):
                raise _Invalid("the body is no JSON object")
            return JsonAnswer(200, {"results": await results(body)})
        except _Invalid as cause:
            return JsonAnswer(422, {"detail": [{"type": "value_error", "msg": f"Value error, {cause}"}]})

    return handle


class LeanServer:
    """The API over a pool."""

    def __init__(self, pool: ReplPool, key: str | None = None) -> None:
        self._pool = pool
        self._key = key

    def application(self) -> Starlette:
        """What a server runs. Raises `MissingExtra` without Starlette."""
        posts = {"/api/check": self._check, "/verify": self._verify, "/one_pass_verify_batch": self._verify}
        return application({path: _answering(found) for path, found in posts.items()}, self._key)

    async def _check(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        jobs = _jobs(body.get("snippets"), "snippets", "id", ("code",))
        if not jobs or len({job.id for job in jobs}) < len(jobs):
            raise _Invalid("`snippets` must not be empty and must have unique ids")
        timeout_s, infotree = _timeout(body, 30), _infotree(body, "infotree")
        reuse = body.get("reuse", True) is not False
        return await asyncio.gather(*(self._one(job, timeout_s, infotree, reuse) for job in jobs))

    async def _verify(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        jobs = _jobs(body.get("codes"), "codes", "custom_id", ("proof", "code"))
        timeout_s, infotree = _timeout(body, 300), _infotree(body, "infotree_type")
        results = await asyncio.gather(*(self._one(job, timeout_s, infotree, True) for job in jobs))
        for result in results:
            result["custom_id"] = result.pop("id")
            seconds = result.pop("time")
            if "response" in result:
                result["response"]["time"] = seconds
        return results

    async def _one(self, job: Posted, timeout_s: float, infotree: str | None, reuse: bool) -> dict[str, Any]:
        imports, body = split_imports(job.code)
        started = time.perf_counter()
        result: dict[str, Any] = {"id": job.id}
        try:
            async with self._pool.lease(imports) as lease:
                started = time.perf_counter()
                lease.count()
                if not reuse:
                    lease.discard()
                result["response"] = await _run(lease, imports, body, timeout_s, infotree)
        except ServiceTimeout as cause:
            where = "header command" if "header" in str(cause) else "command"
            result["error"] = f"Lean REPL {where} timed out in {float(timeout_s)} seconds"
        except InfraError as cause:
            result["error"] = f"Snippet execution failed: {cause}"
        if "error" in result:
            result.pop("response", None)
        result["time"] = time.perf_counter() - started
        return result


async def _run(
    lease: Lease, imports: str, body: str, timeout_s: float, infotree: str | None
) -> dict[str, Any]:
    options: dict[str, object] = {} if infotree is None else {"infotree": infotree}
    if not imports:
        lease.start_clock(timeout_s)
        answer = await lease.raw({"cmd": body} | options)
        env = answer.get("env")
    else:
        header = await lease.header(imports)
        if header.errors or header.env is None:
            return {"env": header.env or 0, "messages": [_as_error(note.data) for note in header.errors]}
        env = header.env
        lease.start_clock(timeout_s)
        answer = await lease.raw({"cmd": body, "env": env} | options, imports)
        _shift(answer, imports.count("\n"))
    if isinstance(env, int):
        await lease.process.resync(env, timeout_s)
    return answer


def _as_error(text: str) -> dict[str, Any]:
    return {"severity": "error", "pos": {"line": 1, "column": 0}, "endPos": None, "data": text}


def _shift(answer: Mapping[str, Any], lines: int) -> None:
    """Positions as lines of the whole snippet; those of info trees stay, as in the original."""
    for entry in [*answer.get("messages", []), *answer.get("sorries", [])]:
        for place in (entry.get("pos"), entry.get("endPos")):
            if place is not None:
                place["line"] += lines


def _jobs(listed: object, field: str, name: str, keys: tuple[str, ...]) -> list[Posted]:
    if not isinstance(listed, list):
        raise _Invalid(f"`{field}` must be a list")
    jobs = []
    for item in listed:
        if not isinstance(item, Mapping) or not isinstance(item.get(name), str | int):
            raise _Invalid(f"every item of `{field}` needs `{name}`")
        code = next((item[key] for key in keys if isinstance(item.get(key), str)), None)
        if code is None:
            raise _Invalid(f"every item of `{field}` needs `{keys[-1]}`")
        if not _is_text(code) or not _is_text(str(item[name])):
            raise _Invalid(f"an item of `{field}` holds half a surrogate pair, which is no text")
        jobs.append(Posted(item[name], code))
    return jobs


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _infotree(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not (isinstance(value, str) and value in INFOTREES):
        raise _Invalid(f"`{name}` must be one of {', '.join(sorted(INFOTREES))}")
    return value


def _timeout(body: Mapping[str, Any], default: int) -> float:
    value = body.get("timeout", default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LONGEST_TIMEOUT_S:
        raise _Invalid(f"`timeout` must be a whole number of seconds, at most {LONGEST_TIMEOUT_S}")
    return float(value)


async def serve(program: Program, settings: PoolSettings, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM, then end every REPL. Raises `UserError` when the port is taken."""
    pool = ReplPool(program, settings)
    repls = "1 REPL" if settings.workers == 1 else f"{settings.workers} REPLs"
    try:
        server = LeanServer(pool, os.environ.get(KEY_VARIABLE)).application()
        async with listening(server, host, port) as url:
            print(f"Lean server on {url} with {repls}", flush=True)
            await until_stopped()
    finally:
        await pool.close()
