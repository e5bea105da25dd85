"""One Kimina server over HTTP: snippets out, typed results back by id, every fault classified.

Of the two endpoints `POST /verify` is asked first. All versions have it, and in 2.x it runs the very code of
`POST /api/check` without that one's loop, which looks for the end of the work only every 100 ms. A server
that lacks it is asked through `/api/check`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.errors import BadReply
from harness.lean.verdicts.replies import Result, read_result
from harness.serving.http import HttpFault, JsonServer

KEY_VARIABLE = "LEAN_SERVER_API_KEY"
_MARGIN_S = 5.0


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
    """One server. Its connections belong to the event loop that first uses it."""

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
    _http: JsonServer = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._http = JsonServer(
            self.url, self.connections, self.reach.deadline_s, KEY_VARIABLE, setting="lean.urls"
        )

    async def check(self, snippets: Sequence[Snippet], reuse: bool = True) -> dict[str, Result | BadReply]:
        """The results that came for these snippets, by id, or what is wrong with one; no result, no entry.

        Raises `HttpFault`, `ServiceDown`, `ServiceTimeout` or `BadReply` when the request failed as a whole.
        """
        if not self.polling:
            try:
                return _by_id(await self._http.post("/verify", self._request(snippets, reuse)), snippets)
            except HttpFault as fault:
                if fault.code not in (404, 405):
                    raise
                self.polling = True
        return _by_id(await self._http.post("/api/check", self._polling_request(snippets, reuse)), snippets)

    async def health(self) -> None:
        """Return when it answers; else raises as `check` does. Says nothing of its REPLs."""
        await self._http.ping("/health", _MARGIN_S)

    async def close(self) -> None:
        """Close its connections."""
        await self._http.close()

    def _request(self, snippets: Sequence[Snippet], reuse: bool) -> dict[str, Any]:
        listed = [{"custom_id": snippet.id, "proof": snippet.code} for snippet in snippets]
        return {"codes": listed, "timeout": math.ceil(self.reach.timeout_s), "disable_cache": not reuse}

    def _polling_request(self, snippets: Sequence[Snippet], reuse: bool) -> dict[str, Any]:
        listed = [{"id": snippet.id, "code": snippet.code} for snippet in snippets]
        return {"snippets": listed, "timeout": math.ceil(self.reach.timeout_s), "reuse": reuse}


def _by_id(answer: object, snippets: Sequence[Snippet]) -> dict[str, Result | BadReply]:
    """Results by id. One for a snippet that nobody asked about, or a second one, is worth nothing."""
    if not isinstance(answer, Mapping) or not isinstance(answer.get("results"), list):
        raise BadReply(f"the server's answer has no list of results: {str(answer)[:120]!r}")
    wanted = {snippet.id for snippet in snippets}
    found: dict[str, Result | BadReply] = {}
    for item in answer["results"]:
        name, result = _typed(item)
        if name in wanted:
            found[name] = result if name not in found else BadReply("two results for one snippet")
    return found


def _typed(item: object) -> tuple[str, Result | BadReply]:
    try:
        result = read_result(item)
        return str(result.id), result
    except BadReply as fault:
        named = item if isinstance(item, Mapping) else {}
        return str(named.get("id", named.get("custom_id"))), fault
