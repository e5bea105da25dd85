"""A model server of a few lines over real HTTP: it answers as it is told, or fails as it is told."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Reply:
    """What to send; `drop` closes the connection instead, once `delay_s` is over."""

    body: Any = None
    status: int = 200
    delay_s: float = 0.0
    drop: bool = False
    headers: dict[str, str] = field(default_factory=dict)


Respond = Callable[[str, Any], Reply]


@dataclass
class Double:
    """A server that runs. `asked` holds (path, body) of every request; `most` the most at one time."""

    respond: Respond
    port: int = 0
    asked: list[tuple[str, Any]] = field(default_factory=list)
    now: int = 0
    most: int = 0
    _server: asyncio.Server | None = None
    _talks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._talks:
            task.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            # Cancelling is how `stop` ends a connection; asyncio would report it as an error of the callback.
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._one(reader, writer):
                    pass
        finally:
            self._talks.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ", 2)[1]
        length = next(
            (
                int(line.split(":")[1])
                for line in head.split("\r\n")
                if line.lower().startswith("content-length")
            ),
            0,
        )
        body = json.loads(await reader.readexactly(length)) if length else None
        self.asked.append((path, body))
        self.now += 1
        self.most = max(self.most, self.now)
        reply = self.respond(path, body)
        await asyncio.sleep(reply.delay_s)
        self.now -= 1
        if reply.drop:
            return False
        sent = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        lines = [f"HTTP/1.1 {reply.status} X", f"content-length: {len(sent)}"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + sent)
        await writer.drain()
        return True


@asynccontextmanager
async def running(*responds: Respond) -> AsyncIterator[list[Double]]:
    """One server for each way to respond, for as long as the block runs."""
    doubles = [Double(respond) for respond in responds]
    for double in doubles:
        await double.start()
    try:
        yield doubles
    finally:
        for double in doubles:
            await double.stop()


@contextmanager
def in_thread(respond: Respond) -> Iterator[Double]:
    """A server in a thread of its own, for what has an event loop of its own."""
    double, loop = Double(respond), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(double.start(), loop).result(10)
        yield double
    finally:
        asyncio.run_coroutine_threadsafe(double.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def models(*names: str, length: int = 512) -> Reply:
    return Reply({"data": [{"id": name, "max_model_len": length} for name in names]})


def completions(texts: list[str], finish: str = "stop", prompt_tokens: int = 7) -> dict[str, Any]:
    """A reply of `/v1/completions`: every character is a token of log-probability -0.5, and so is the end."""
    choices = []
    for index, text in enumerate(texts):
        count = len(text) + (finish == "stop")
        choices.append(
            {
                "index": index,
                "text": text,
                "finish_reason": finish,
                "logprobs": {"token_logprobs": [-0.5] * count},
            }
        )
    total = sum(len(choice["logprobs"]["token_logprobs"]) for choice in choices)  # type: ignore[index]
    return {"choices": choices, "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": total}}
