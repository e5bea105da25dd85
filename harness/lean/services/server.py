"""A Kimina-compatible Lean server over the pool, for machines without Docker: `harness serve lean`.

Differences from the original, all for the better: one snippet's crash is that snippet's error, never the
batch's; errors in the imports are reported; a snippet without imports gets an environment of its own; a REPL
whose answers are out of step is replaced before anybody else gets one.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import HarnessError, InfraError, ServiceTimeout, boundary
from harness.lean.services.kimina_client import KEY_VARIABLE
from harness.lean.services.pool import Lease, PoolSettings, ReplPool, split_imports
from harness.lean.services.repl import Program
from harness.serving.web import Answer, Request, listen

INFOTREES = frozenset({"full", "tactics", "original", "substantive"})


@dataclass(frozen=True, slots=True)
class Job:
    """One snippet of a request."""

    id: str | int
    code: str


LONGEST_TIMEOUT_S = 86_400


class _Invalid(HarnessError):
    """A body that the API does not allow."""


class LeanServer:
    """The API over a pool. Knows nothing of sockets."""

    def __init__(self, pool: ReplPool, key: str | None = None) -> None:
        self._pool = pool
        self._key = key

    async def respond(self, request: Request) -> Answer:
        """The answer to one HTTP request."""
        path = request.path.rstrip("/")
        if path in ("", "/health") and request.method == "GET":
            return Answer(200, {"status": "ok"})
        route = {
            "/api/check": self._check,
            "/verify": self._verify,
            "/one_pass_verify_batch": self._verify,
        }.get(path)
        if route is None:
            return Answer(404, {"detail": "Not Found"})
        if request.method != "POST":
            return Answer(405, {"detail": "Method Not Allowed"})
        refusal = self._unauthorised(request.headers.get("authorization"))
        if refusal is not None:
            return Answer(401, {"detail": refusal})
        try:
            body = json.loads(request.body)
            if not isinstance(body, Mapping):
                raise _Invalid("the body is no JSON object")
            with boundary(InfraError, "the server failed"):
                return Answer(200, {"results": await route(body)})
        except (ValueError, RecursionError):
            return Answer(422, {"detail": [{"type": "json_invalid", "msg": "the body is no JSON"}]})
        except _Invalid as cause:
            return Answer(422, {"detail": [{"type": "value_error", "msg": f"Value error, {cause}"}]})
        except InfraError as cause:
            return Answer(500, {"detail": str(cause)})

    def _unauthorised(self, header: str | None) -> str | None:
        if not self._key:
            return None
        if not header:
            return "Missing API key"
        given = header.removeprefix("Bearer ").strip()
        return None if hmac.compare_digest(given.encode(), self._key.encode()) else "Invalid API key"

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

    async def _one(self, job: Job, timeout_s: float, infotree: str | None, reuse: bool) -> dict[str, Any]:
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


def _jobs(listed: object, field: str, name: str, keys: tuple[str, ...]) -> list[Job]:
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
        jobs.append(Job(item[name], code))
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
    """Serve until SIGINT or SIGTERM, then end every REPL. Raises OSError when the port is taken."""
    pool = ReplPool(program, settings)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    server = await listen(LeanServer(pool, os.environ.get(KEY_VARIABLE)).respond, host, port)
    bound = server.sockets[0].getsockname()[1]
    repls = "1 REPL" if settings.workers == 1 else f"{settings.workers} REPLs"
    print(f"Lean server on http://{host}:{bound} with {repls}", flush=True)
    try:
        await stopped.wait()
    finally:
        server.close()
        await pool.close()
