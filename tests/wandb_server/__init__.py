"""A loopback stand-in for W&B's server, for the real client and CLI; written from the protocol.

It answers GraphQL (runs, sweeps, agents, artifacts, saved views), takes the file stream and uploads, and
misbehaves on purpose: `fail`, `hang`, `stop` and `start` again with what it knew. It listens on 127.0.0.1 and
takes any key. What is not there: Weave, Launch, registries, teams; a bayes sweep draws at random.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.wandb_server.store import Store
from tests.wandb_server.web import Fault, Web

KEY = "local" + "0" * 36
"""A key of the length that the client wants."""


class Server:
    """The stand-in, running in threads of this process."""

    def __init__(self) -> None:
        self.store = Store()
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen, again on the same port after a `stop`."""
        self._web = Web(self.store, self.port)
        self.port = int(self._web.server_address[1])
        threading.Thread(target=self._web.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Go away; connections are refused from now on, hanging ones end."""
        self._web.released.set()
        self._web.faults["*"] = Fault(500, 1_000_000)  # connections kept alive must not go on working
        self._web.shutdown()
        self._web.server_close()

    def fail(self, operation: str, status: int = 500, times: int = 1_000_000) -> None:
        """Answer the next requests of a GraphQL operation, `file_stream`, `upload` or `*` with `status`."""
        self._web.faults[operation] = Fault(status, times)

    def hang(self, operation: str) -> None:
        """Leave requests without an answer until the server stops."""
        self.fail(operation, 0)

    def mend(self) -> None:
        """No more faults."""
        self._web.faults.clear()

    def stop_run(self, name: str) -> None:
        """What the button on the run's page does."""
        for run in self.store.runs.values():
            run.stopped = run.stopped or run.name == name

    def dump(self) -> dict[str, Any]:
        """Everything that it knows, as plain data."""
        return self.store.dump()

    def runs(self) -> list[dict[str, Any]]:
        """The runs, in the order in which they came."""
        return list(self.dump()["runs"].values())


@contextmanager
def serving() -> Iterator[Server]:
    """A server for the length of a block."""
    server = Server()
    try:
        yield server
    finally:
        server.stop()


def environment(server: Server, home: Path) -> dict[str, str]:
    """Variables under which the real client speaks to `server` and writes below `home` alone."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
    folders = {f"WANDB_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "CACHE", "DATA")}
    login = {"WANDB_BASE_URL": server.url, "WANDB_API_KEY": KEY, "WANDB_ERROR_REPORTING": "false"}
    return {**kept, **folders, **login, "HOME": str(home)}
