"""A small HTTP/1.1 server on asyncio: JSON in, JSON out, keep-alive. For loopback and trusted networks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

LARGEST_BODY = 64 << 20
_IDLE_S = 120.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back as JSON."""

    code: int
    content: object = field(default_factory=dict)


Respond = Callable[[Request], Awaitable[Answer]]


class _Refused(Exception):
    """A request that cannot be read; it is answered and the connection closed."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(detail)
        self.answer = Answer(code, {"detail": detail})


async def listen(respond: Respond, host: str, port: int) -> asyncio.Server:
    """Start serving on `host:port` (port 0: any free one). Raises OSError when the port is taken."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _converse(respond, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    return await asyncio.start_server(connected, host, port, limit=1 << 16)


async def _converse(respond: Respond, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        try:
            request = await asyncio.wait_for(_read(reader), _IDLE_S)
        except _Refused as refusal:
            _write(writer, refusal.answer, close=True)
            await writer.drain()
            return
        if request is None:
            return
        answer = await _answer_or_leave(respond, request, reader)
        if answer is None:
            return
        close = request.headers.get("connection", "").lower() == "close"
        _write(writer, answer, close)
        await writer.drain()
        if close:
            return


async def _answer_or_leave(respond: Respond, request: Request, reader: asyncio.StreamReader) -> Answer | None:
    """The answer, or None when the client went away first: its work is cancelled then."""
    work = asyncio.ensure_future(respond(request))
    try:
        while not work.done():
            await asyncio.wait([work], timeout=0.5)
            if reader.at_eof() and not work.done():
                return None
        return work.result()
    finally:
        work.cancel()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as cause:
        if cause.partial.strip():
            raise _Refused(400, "the request ended in its headers") from cause
        return None
    except asyncio.LimitOverrunError as cause:
        raise _Refused(431, "the headers are too long") from cause
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise _Refused(400, "this is no HTTP/1.1 request")
    headers = {
        name.strip().lower(): value.strip()
        for name, colon, value in (line.partition(":") for line in lines)
        if colon
    }
    return Request(words[0], words[1].partition("?")[0], headers, await _body(reader, headers))


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if "transfer-encoding" in headers:
        raise _Refused(411, "send Content-Length, not chunks")
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdecimal()):
        raise _Refused(400, "Content-Length is no number")
    if len(length) > len(str(LARGEST_BODY)) or int(length) > LARGEST_BODY:
        raise _Refused(413, f"a body may have {LARGEST_BODY >> 20} MiB")
    return await reader.readexactly(int(length))


def _write(writer: asyncio.StreamWriter, answer: Answer, close: bool) -> None:
    body = json.dumps(answer.content, ensure_ascii=False).encode()
    head = (
        f"HTTP/1.1 {answer.code} {HTTPStatus(answer.code).phrase}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Connection: {'close' if close else 'keep-alive'}\r\n\r\n"
    )
    writer.write(head.encode() + body)
