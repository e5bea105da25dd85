"""Whether a server is well: `/health`, as vLLM, Kimina and this project's own servers have it."""

from __future__ import annotations

import urllib.request

_STRAIGHT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""What the environment says of proxies is for others: requests proper go past them too."""


def status(url: str, timeout_s: float) -> int:
    """The HTTP status that the server at `url` answers with.

    Raises `urllib.error.HTTPError` for one of 400 and above, `OSError` when it cannot be reached,
    `ValueError` for what is no URL.
    """
    with _STRAIGHT.open(f"{url.rstrip('/')}/health", timeout=timeout_s) as answer:
        return int(answer.status)
