"""One Kimina server over HTTP: snippets out, typed results back by id, every fault classified.

Of the two endpoints `POST /verify` is asked first. All versions have it, and in 2.x it runs the very code of
`POST /api/check` without that one's loop, which looks for the end of the work only every 100 ms. A server
that lacks it is asked through `/api/check`.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.errors import BadReply, InfraError, ServiceDown, ServiceTimeout, UserError
from harness.lean.verdicts.replies import Result, read_result

if TYPE_CHECKING:
    import httpx

KEY_VARIABLE = "LEAN_SERVER_API_KEY"
PERMANENT = frozenset({400, 401, 403, 404, 405, 413, 422})
"""Asking again would get the same answer."""
_MARGIN_S = 5.0


class HttpFault(InfraError):
    """An answer that is not 200. Nothing was judged."""

    def __init__(self, code: int, detail: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"HTTP {code}: {detail}"[:400])
        self.code = code
        self.retry_after_s = retry_after_s

    @property
    def permanent(self) -> bool:
        """The request is at fault (or the key, or the address): it is not worth another try."""
        return self.code in PERMANENT


@dataclass(frozen=True, slots=True)
class Snippet:
    """One text to be checked."""

    id: str
    code: str


@dataclass(frozen=True, slots=True)
class Reach:
    """How a server is asked; times in seconds."""

    timeout_s: float = 60.0
    """Given to Lean for the header and for the body, each."""
    max_wait_s: float = 60.0
    """How long the server may let a snippet wait for a free REPL (its LEAN_SERVER_MAX_WAIT)."""

    @property
    def deadline_s(self) -> float:
        """The latest moment for an honest answer: the wait, then header and body with the time-out each."""
        return self.max_wait_s + 2 * math.ceil(self.timeout_s) + _MARGIN_S


@dataclass(eq=False)
class KiminaServer:
    """One server. Its HTTP client belongs to the event loop that first uses it."""

    url: str
    reach: Reach
    connections: int
    polling: bool = False
    """It has only `/api/check`."""
    in_flight: int = 0
    down_until: float = 0.0
    """Loop time before which it is only asked when no other server is up."""
    failures: int = 0
    """Connection failures in a row."""
    _client: httpx.AsyncClient | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise UserError(f"lean.urls: {self.url!r} is no URL; write it like http://127.0.0.1:8000")
        self.url = self.url.rstrip("/")

    async def check(self, snippets: Sequence[Snippet], reuse: bool = True) -> dict[str, Result]:
        """The results that came for these snippets, by id; a snippet without a usable result is left out.

        Raises `HttpFault`, `ServiceDown`, `ServiceTimeout` or `BadReply` when the request failed as a whole.
        """
        if not self.polling:
            try:
                return _by_id(await self._post("/verify", self._request(snippets, reuse)), snippets)
            except HttpFault as fault:
                if fault.code not in (404, 405):
                    raise
                self.polling = True
        return _by_id(await self._post("/api/check", self._polling_request(snippets, reuse)), snippets)

    async def health(self) -> None:
        """Return when it answers; else raises as `check` does. Says nothing of its REPLs."""
        with _classified(self.url):
            answer = await self._http().get(f"{self.url}/health", timeout=_MARGIN_S)
        if answer.status_code != 200:
            raise HttpFault(answer.status_code, answer.text)

    async def close(self) -> None:
        """Close its connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _request(self, snippets: Sequence[Snippet], reuse: bool) -> dict[str, Any]:
        listed = [{"custom_id": snippet.id, "proof": snippet.code} for snippet in snippets]
        return {"codes": listed, "timeout": math.ceil(self.reach.timeout_s), "disable_cache": not reuse}

    def _polling_request(self, snippets: Sequence[Snippet], reuse: bool) -> dict[str, Any]:
        listed = [{"id": snippet.id, "code": snippet.code} for snippet in snippets]
        return {"snippets": listed, "timeout": math.ceil(self.reach.timeout_s), "reuse": reuse}

    async def _post(self, path: str, body: Mapping[str, Any]) -> object:
        try:
            async with asyncio.timeout(self.reach.deadline_s):
                with _classified(self.url):
                    answer = await self._http().post(f"{self.url}{path}", json=body)
        except TimeoutError as cause:
            raise ServiceTimeout(f"{self.url} gave no answer in {self.reach.deadline_s:g} s") from cause
        if answer.status_code != 200:
            raise HttpFault(answer.status_code, answer.text[:300], _retry_after(answer))
        try:
            return json.loads(answer.content)
        except (ValueError, RecursionError) as cause:
            kind = answer.headers.get("content-type", "no content type")
            raise BadReply(f"{self.url} sent no JSON ({kind}): {answer.text[:120]!r}") from cause

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            import httpx

            key = os.environ.get(KEY_VARIABLE)
            limits = httpx.Limits(
                max_connections=self.connections, max_keepalive_connections=self.connections
            )
            self._client = httpx.AsyncClient(
                headers={"Authorization": f"Bearer {key}"} if key else {},
                timeout=httpx.Timeout(self.reach.deadline_s + 1, connect=10.0),
                limits=limits,
                trust_env=False,
            )
        return self._client


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


def _by_id(answer: object, snippets: Sequence[Snippet]) -> dict[str, Result]:
    """Results by id. One for a snippet that nobody asked about, or a second one, is worth nothing."""
    if not isinstance(answer, Mapping) or not isinstance(answer.get("results"), list):
        raise BadReply(f"the server's answer has no list of results: {str(answer)[:120]!r}")
    wanted = {snippet.id for snippet in snippets}
    found: dict[str, Result] = {}
    spoilt: set[str] = set()
    for item in answer["results"]:
        try:
            result = read_result(item)
        except BadReply:
            continue
        if result.id in found:
            spoilt.add(result.id)
        found[result.id] = result
    return {name: result for name, result in found.items() if name in wanted and name not in spoilt}


def _retry_after(answer: httpx.Response) -> float | None:
    try:
        return max(0.0, float(answer.headers["retry-after"]))
    except (KeyError, ValueError):
        return None
