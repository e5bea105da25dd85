"""A scripted Kimina server on a raw socket: honest answers from a toy judgement, or what a script says."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from tests.lean.services.fake_repl import OPTIONS, Repl

Body = dict[str, Any]
Script = Callable[["FakeKimina", str, Body], Awaitable[bytes | None]]
"""(server, path, body) -> the raw HTTP answer, or None to drop the connection."""


def http(code: int, content: object, kind: str = "application/json", headers: str = "") -> bytes:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return (
        f"HTTP/1.1 {code} X\r\nContent-Type: {kind}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


def codes(body: Body) -> list[str]:
    """The texts of a request to either endpoint."""
    return [str(item.get("proof", item.get("code"))) for item in body.get("codes", body.get("snippets", []))]


def results(body: Body) -> Body:
    """What an honest server says: header and body in one environment, positions of the whole snippet."""
    key = "custom_id" if "codes" in body else "id"
    listed = []
    for item, code in zip(body.get("codes", body.get("snippets", [])), codes(body), strict=True):
        if "FAULT_slow" in code:
            listed.append(
                {key: item[key], "time": 1.0, "error": "Lean REPL command timed out in 1.0 seconds"}
            )
        else:
            answer = Repl(OPTIONS.parse_args([])).answer({"cmd": code})
            listed.append({key: item[key], "time": 0.001, "response": answer})
    return {"results": listed}


async def honest(server: FakeKimina, path: str, body: Body) -> bytes | None:
    return http(200, results(body))


class FakeKimina:
    def __init__(self, script: Script = honest) -> None:
        self.script = script
        self.asked: list[Body] = []
        self.paths: list[str] = []
        self.keys: list[str] = []
        self.url = ""

    async def __aenter__(self) -> FakeKimina:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()

    @property
    def sizes(self) -> list[int]:
        """Snippets per request."""
        return [len(codes(body)) for body in self.asked]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                found = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
                body = json.loads(await reader.readexactly(int(found[1]))) if found else {}
                path = head.split(" ")[1]
                self.asked.append(body)
                self.paths.append(path)
                self.keys += re.findall(r"authorization: (.*)\r", head, re.IGNORECASE)
                answer = await self.script(self, path, body)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
