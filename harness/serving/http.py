"""One JSON service over HTTP, every fault classified: what clients of Lean and of model servers share."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from harness.errors import BadReply, InfraError, ServiceDown, ServiceTimeout, UserError

if TYPE_CHECKING:
    import httpx

PERMANENT = frozenset({400, 401, 403, 404, 405, 413, 422})
"""Asking again would get the same answer."""
MOST_REDIRECTS = 5
OVERLOADED = frozenset({429, 502, 503, 504})
"""The server, or what stands before it, has no room at the moment."""


class HttpFault(InfraError):
    """An answer that is not 200. Nothing was done."""

    def __init__(self, code: int, detail: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"HTTP {code}: {detail}"[:400])
        self.code = code
        self.retry_after_s = retry_after_s

    @property
    def permanent(self) -> bool:
        """The request is at fault (or the key, or the address): it is not worth another try."""
        return self.code in PERMANENT


@dataclass(eq=False)
class JsonServer:
    """One server. Its connections belong to the event loop that first uses them.

    Each has a transport of its own: a pool of httpx looks at all its connections for every request, and
    compares the idle ones with each other, which at 64 of them costs more than the requests. Requests go
    straight to it: what a client of httpx adds takes half as long again and is only wanted for redirects.
    """

    url: str
    connections: int
    """Requests in flight at most."""
    deadline_s: float
    """The latest moment for an honest answer."""
    key_variable: str
    """Environment variable with the bearer key; none is sent when it is not set."""
    setting: str = "urls"
    """The key of the experiment file that names `url`, for messages."""
    _idle: list[httpx.AsyncHTTPTransport] = field(default_factory=list, repr=False)
    """The one used last is used next."""
    _places: asyncio.Semaphore | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise UserError(f"{self.setting}: {self.url!r} is no URL; write it like http://127.0.0.1:8000")
        self.url = self.url.rstrip("/")

    async def post(self, path: str, body: Mapping[str, Any]) -> object:
        """The JSON answer. Raises `HttpFault`, `ServiceDown`, `ServiceTimeout` or `BadReply`."""
        return await self._ask("POST", path, self.deadline_s, body)

    async def get(self, path: str, deadline_s: float = 10.0) -> object:
        """As `post`, without a body."""
        return await self._ask("GET", path, deadline_s, None)

    async def ping(self, path: str = "/health", deadline_s: float = 5.0) -> None:
        """Return when it answers `path` with 200, whatever the answer; else raises as `post` does."""
        await self._send("GET", path, deadline_s, None)

    async def close(self) -> None:
        """Close its connections."""
        idle, self._idle, self._places = self._idle, [], None
        for transport in idle:
            await transport.aclose()

    async def _ask(self, method: str, path: str, deadline_s: float, body: Mapping[str, Any] | None) -> object:
        answer = await self._send(method, path, deadline_s, body)
        try:
            return json.loads(answer.content)
        except (ValueError, RecursionError) as cause:
            kind = answer.headers.get("content-type", "no content type")
            raise BadReply(f"{self.url} sent no JSON ({kind}): {answer.text[:120]!r}") from cause

    async def _send(
        self, method: str, path: str, deadline_s: float, body: Mapping[str, Any] | None
    ) -> httpx.Response:
        try:
            async with asyncio.timeout(deadline_s), self._connection() as transport:
                with _classified(self.url):
                    request = self._request(method, path, body)
                    answer = await transport.handle_async_request(request)
                    await answer.aread()
                    if answer.status_code in (307, 308):
                        answer = await self._redirected(request)
        except TimeoutError as cause:
            raise ServiceTimeout(f"{self.url} gave no answer in {deadline_s:g} s") from cause
        if answer.status_code != 200:
            raise HttpFault(answer.status_code, self._said(answer), _retry_after(answer))
        return answer

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None) -> httpx.Request:
        import httpx

        key = os.environ.get(self.key_variable)
        headers = {"Accept": "application/json", "User-Agent": "lean-harness"}
        headers |= {"Authorization": f"Bearer {key}"} if key else {}
        limits = httpx.Timeout(self.deadline_s + 1, connect=10.0).as_dict()
        url = f"{self.url}{path}"
        return httpx.Request(method, url, json=body, headers=headers, extensions={"timeout": limits})

    async def _redirected(self, request: httpx.Request) -> httpx.Response:
        """The answer to a request from where its server sends it; the key goes to the same host alone."""
        import httpx

        async with httpx.AsyncClient(verify=self._trusts(), trust_env=False) as client:
            answer = await client.send(request)
            for _ in range(MOST_REDIRECTS):
                # Others may turn a POST into a GET.
                if answer.status_code not in (307, 308) or answer.next_request is None:
                    break
                answer = await client.send(answer.next_request)
        return answer

    def _said(self, answer: httpx.Response) -> str:
        detail = answer.text[:300]
        if answer.status_code in (401, 403):
            taken = "is not taken there" if os.environ.get(self.key_variable) else "is not set"
            return f"{self.url} wants a key, and {self.key_variable} {taken}: {detail}"
        return detail

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[httpx.AsyncHTTPTransport]:
        """A connection that nobody else uses meanwhile; waits while as many are used as there may be."""
        if self._places is None:
            self._places = asyncio.Semaphore(self.connections)
        places = self._places
        async with places:
            transport = self._idle.pop() if self._idle else self._made()
            try:
                yield transport
            finally:
                if places is self._places:
                    self._idle.append(transport)
                else:  # closed meanwhile
                    await transport.aclose()

    def _made(self) -> httpx.AsyncHTTPTransport:
        import httpx

        limits = httpx.Limits(max_connections=1, keepalive_expiry=5.0)
        return httpx.AsyncHTTPTransport(verify=self._trusts(), trust_env=False, limits=limits)

    def _trusts(self) -> ssl.SSLContext:
        return _trusted(self.url.startswith("https"))


@lru_cache(maxsize=2)
def _trusted(verify: bool) -> ssl.SSLContext:
    """Whom to believe, made once: it takes longer than many requests."""
    import httpx

    return httpx.create_ssl_context(verify=verify, trust_env=False)


@contextmanager
def _classified(url: str) -> Iterator[None]:
    import httpx

    try:
        yield
    except httpx.ConnectTimeout as cause:
        raise ServiceDown(f"{url} accepts no connection") from cause
    except httpx.TimeoutException as cause:
        raise ServiceTimeout(f"{url} stopped answering: {type(cause).__name__}") from cause
    except (httpx.HTTPError, httpx.InvalidURL) as cause:
        raise ServiceDown(f"{url}: {type(cause).__name__}: {cause}") from cause


def _retry_after(answer: httpx.Response) -> float | None:
    try:
        return max(0.0, float(answer.headers["retry-after"]))
    except (KeyError, ValueError):
        return None
