"""What HTTP costs `harness serve lean`: this checkout against another, side by side.

    python -m tests.bench.lean_server [--against CHECKOUT] [--checks 400] [--rounds 3]

Each round asks each server for its health and for checks of the embedded core, one snippet a request, from 16
callers that wait for their answer before they ask again. Wall clock and the server's own CPU time are printed
(its REPLs are other processes): the second does not depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

CALLERS = 16
HERE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    name: str
    url: str
    pid: int

    @property
    def cpu_s(self) -> float:
        """CPU seconds of the process so far, without its REPLs."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(name: str, checkout: Path) -> Iterator[Server]:
    argv = [sys.executable, "-m", "harness", "serve", "lean", "--port", "0", "--workers", "2"]
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd="/", env=environment)
    try:
        assert process.stdout is not None
        yield Server(name, process.stdout.readline().split()[3], process.pid)
    finally:
        process.terminate()
        process.wait()


async def asked(server: Server, path: str, bodies: list[object]) -> tuple[float, float]:
    """(requests per second, the server's CPU milliseconds a request)."""
    waiting = iter(bodies)
    limits = httpx.Limits(max_connections=CALLERS, max_keepalive_connections=CALLERS)
    async with httpx.AsyncClient(base_url=server.url, limits=limits, timeout=120, trust_env=False) as client:

        async def caller() -> None:
            for body in waiting:
                answer = await (client.get(path) if body is None else client.post(path, json=body))
                assert answer.status_code == 200 and "error" not in answer.text, answer.text

        started, before = time.perf_counter(), server.cpu_s
        await asyncio.gather(*(caller() for _ in range(CALLERS)))
        seconds, busy = time.perf_counter() - started, server.cpu_s - before
    return len(bodies) / seconds, 1e3 * busy / len(bodies)


def snippet(number: int) -> object:
    code = f"import Mathlib\n\ntheorem t{number} (p q : Prop) (h : p ∧ q) : q ∧ p := ⟨h.2, h.1⟩"
    return {"snippets": [{"id": "a", "code": code}]}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--against", type=Path)
    options.add_argument("--checks", type=int, default=400)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    with ExitStack() as running:
        places = {"this": HERE} | ({} if given.against is None else {"other": given.against.resolve()})
        servers = [running.enter_context(serving(name, place)) for name, place in places.items()]
        for number in range(-1, given.rounds):  # the first round starts the REPLs and is not shown
            for server in servers:
                health = asyncio.run(asked(server, "/health", [None] * 1000))
                checks = asyncio.run(
                    asked(server, "/api/check", [snippet(each) for each in range(given.checks)])
                )
                if number >= 0:
                    told = [f"{rate:7.0f}/s, {cpu:5.2f} ms of CPU" for rate, cpu in (health, checks)]
                    print(f"round {number} {server.name:5}: health {told[0]}; checks {told[1]}", flush=True)


if __name__ == "__main__":
    main()
