"""What the tests of services share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from harness.lean.services.repl import ReplProcess, Request
from tests.lean.services.real_kimina import kimina_server, missing


@pytest.fixture
def hangs_end_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What hangs on purpose gets a hundredth of the time that is due to it, and nothing else less."""
    ask_all = ReplProcess.ask_all

    async def hasty(self: ReplProcess, requests: Sequence[Request], timeout_s: float) -> Any:
        hanging = "FAULT_hang" in json.dumps(requests)
        return await ask_all(self, requests, timeout_s / 100 if hanging else timeout_s)

    monkeypatch.setattr(ReplProcess, "ask_all", hasty)


@pytest.fixture(scope="session")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real Kimina server. Skips where there is none."""
    if why := missing():
        pytest.skip(why)
    with kimina_server(tmp_path_factory.mktemp("kimina")) as url:
        yield url
