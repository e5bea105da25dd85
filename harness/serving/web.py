"""JSON over HTTP: what our own servers share. A Starlette application, run by uvicorn (extra `serve`).

Every server answers `GET /` and `GET /health`, asks for its key where it has one, refuses with JSON whatever
is no request of its own, and drops the work of a client that has gone.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness import extras
from harness.errors import InfraError, UserError, boundary

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

LARGEST_BODY = 64 << 20
_IDLE_S = 120
"""A connection without a request is closed after this, and a body that does not come is given up."""
_GRACE_S = 1
"""For requests under way when the server ends."""


@dataclass(frozen=True, slots=True)
class JsonAnswer:
    """What is sent back as JSON."""

    code: int
    content: object


Handle = Callable[[Any], Awaitable[JsonAnswer]]
"""From the JSON of a request's body to the answer."""


def application(posts: Mapping[str, Handle], key: str | None = None) -> Starlette:
    """Answers POST requests by their path; `key`: what they have to bring as a bearer token.

    What `posts` raises becomes 500, with its message. Raises `MissingExtra` without Starlette.
    """
    extras.need("serve")
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.responses import Response
    from starlette.routing import Route

    async def health(request: Request) -> Response:
        return _response(JsonAnswer(200, {"status": "ok"}))

    async def refused(request: Request, cause: Exception) -> Response:
        assert isinstance(cause, HTTPException)
        return _response(JsonAnswer(cause.status_code, {"detail": cause.detail}))

    def posted(handle: Handle) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            _authorise(request.headers.get("authorization"), key)
            body = await _body(request)
            answer = await _answer_or_leave(handle, body, request)
            return Response(status_code=499) if answer is None else _response(answer)

        return endpoint

    spellings = [(path, handle) for name, handle in posts.items() for path in {name, f"{name.rstrip('/')}/"}]
    return Starlette(
        routes=[
            *(Route(path, health, methods=["GET"]) for path in ("/", "/health", "/health/")),
            *(Route(path, posted(handle), methods=["POST"]) for path, handle in spellings),
        ],
        exception_handlers={HTTPException: refused},
    )


def _authorise(header: str | None, key: str | None) -> None:
    from starlette.exceptions import HTTPException

    if not key:
        return
    if not header:
        raise HTTPException(401, "Missing API key")
    given = header.removeprefix("Bearer ").strip()
    if not hmac.compare_digest(given.encode(), key.encode()):
        raise HTTPException(401, "Invalid API key")


async def _body(request: Request) -> bytes:
    from starlette.exceptions import HTTPException
    from starlette.requests import ClientDisconnect

    too_large = HTTPException(413, f"a body may have {LARGEST_BODY >> 20} MiB")
    if int(request.headers.get("content-length", 0)) > LARGEST_BODY:  # uvicorn takes nothing but digits
        raise too_large
    parts, length = [], 0
    try:
        async with asyncio.timeout(_IDLE_S):
            async for part in request.stream():
                length += len(part)
                if length > LARGEST_BODY:
                    raise too_large
                parts.append(part)
    except (ClientDisconnect, TimeoutError):
        raise HTTPException(400, "the request ended before its body") from None
    return b"".join(parts)


async def _answer_or_leave(handle: Handle, body: bytes, request: Request) -> JsonAnswer | None:
    """The answer, or None when the client went away first: its work is cancelled then."""
    work = asyncio.ensure_future(_answer(handle, body))
    gone = asyncio.ensure_future(request.receive())  # after the body nothing comes but a farewell
    try:
        await asyncio.wait([work, gone], return_when=asyncio.FIRST_COMPLETED)
        return work.result() if work.done() else None
    finally:
        work.cancel()
        gone.cancel()


async def _answer(handle: Handle, body: bytes) -> JsonAnswer:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return JsonAnswer(422, {"detail": [{"type": "json_invalid", "msg": "the body is no JSON"}]})
    try:
        with boundary(InfraError, "the server failed"):
            return await handle(read)
    except InfraError as cause:
        return JsonAnswer(500, {"detail": str(cause)})


def _response(answer: JsonAnswer) -> Response:
    from starlette.responses import Response

    # Half a surrogate pair, which is no UTF-8, is spelt as JSON's own escape.
    body = json.dumps(answer.content, ensure_ascii=False).encode(errors="backslashreplace")
    return Response(body, answer.code, media_type="application/json")


@asynccontextmanager
async def listening(application: Starlette, host: str, port: int) -> AsyncIterator[str]:
    """Serve on `host:port` (port 0: any free one) while the block runs, and give the URL.

    Raises `UserError` when the address cannot be had.
    """
    extras.need("serve")
    import uvicorn

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Signals belong to whoever serves."""
            yield

    listener = _bound(host, port)
    config = uvicorn.Config(
        application,
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_keep_alive=_IDLE_S,
        timeout_graceful_shutdown=_GRACE_S,
    )
    server = Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    while not (server.started or serving.done()):
        await asyncio.sleep(0)
    try:
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


async def until_stopped() -> None:
    """Return on SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()


def _bound(host: str, port: int) -> socket.socket:
    """A socket at the address; of a name with several the IPv4 one."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = min(found, key=lambda each: each[0] != socket.AF_INET)
        listener = socket.socket(family)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as cause:
        raise UserError(f"cannot listen on {host}:{port}: {cause.strerror}; choose another --port") from None
    return listener
