"""What servers of models have in common: which models they serve, and what a refusal means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from harness.errors import BadReply, HarnessError, UserError
from harness.serving.fleet import Fleet, Patience
from harness.serving.http import HttpFault, JsonServer

KEY_VARIABLE = "MODEL_SERVER_API_KEY"
TOO_LONG = re.compile(
    r"maximum context length|longer than the (model's context|maximum model length)|context_length_exceeded",
    re.I,
)
"""In a refusal: the prompt leaves no room for an answer of the length that was asked for."""


def fleet(urls: Sequence[str], setting: str, connections: int, timeout_s: float, patience: Patience) -> Fleet:
    """Servers of one model; `setting` is the key of the experiment file that names `urls`.

    Raises `UserError` for what is no URL.
    """
    bare = [url.rstrip("/").removesuffix("/v1") for url in urls]
    return Fleet([JsonServer(url, connections, timeout_s, KEY_VARIABLE, setting) for url in bare], patience)


async def card_of(server: JsonServer, model: str, setting: str) -> Mapping[str, Any]:
    """What a server says of a model that it serves; `setting` is the key of the file that names the model.

    Raises `UserError` when it does not serve it, `InfraError` when it cannot be asked.
    """
    try:
        answer = await server.get("/v1/models")
    except HttpFault as fault:
        raise refusal(server.url, fault) from fault
    if not isinstance(answer, Mapping) or not isinstance(answer.get("data"), list):
        raise BadReply(f"{server.url}/v1/models lists no models: {str(answer)[:120]!r}")
    cards = {str(card.get("id")): card for card in answer["data"] if isinstance(card, Mapping)}
    if model not in cards:
        known = ", ".join(sorted(cards)) or "nothing"
        raise UserError(f"{setting}: {server.url} does not serve {model!r}; it serves: {known}")
    return cards[model]


def reason_of(fault: HttpFault) -> str:
    """The server's own sentence."""
    message = re.search(r'"message"\s*:\s*"((?:[^"\\]|\\.)*)"', str(fault))
    return message.group(1) if message else str(fault)


def refusal(where: str, fault: HttpFault) -> HarnessError:
    """What the user can mend of a refusal; any other fault stays what it is."""
    if fault.code in (401, 403):
        return UserError(f"{where}: the key is refused; set {KEY_VARIABLE}")
    if fault.code in (404, 405):
        return UserError(f"{where}: no server of this kind, or no such model: {reason_of(fault)}")
    if fault.permanent:
        return UserError(f"{where}: the model server refuses the request: {reason_of(fault)}")
    return fault
