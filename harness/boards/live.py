"""`harness leaderboard --serve`: the board's page over HTTP, made again whenever a run has changed.

Reads the runs folder and writes nothing but summaries. The page asks now and then whether anything is new,
and fetches a run's attempts when somebody opens it, so that a folder of a million attempts opens at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness import extras
from harness.analysis.runs import find_runs, open_run
from harness.boards.details import Statements, run_details, texts, tree_of
from harness.boards.page import page
from harness.boards.rows import Standing
from harness.errors import UserError
from harness.records.folder import PROVENANCE, RECORDS, SPEC
from harness.serving.web import listening, until_stopped
from harness.tracking.point import addresses

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class LiveBoard:
    """The page of one board, as the runs folder is now."""

    def __init__(self, root: Path, rank: Callable[[], Standing], statements: Statements) -> None:
        """`rank` reads the folder and ranks what it finds."""
        self._root = root
        self._rank = rank
        self._statements = statements
        self._lock = threading.Lock()
        self._made: tuple[str, str, dict[str, str]] = ("", "", {})

    def version(self) -> str:
        """Digest of which runs there are and how much is in them."""
        parts = hashlib.sha256()
        for folder in find_runs(self._root):
            for name in (SPEC, RECORDS, PROVENANCE):
                try:
                    status = (folder / name).stat()
                except OSError:
                    continue
                parts.update(f"{folder.name}/{name} {status.st_size} {status.st_mtime_ns}\n".encode())
        return parts.hexdigest()[:16]

    def html(self) -> str:
        """The page."""
        return self._current()[1]

    def run(self, name: str) -> dict[str, Any] | None:
        """Every attempt of one run; None when the folder holds no such run."""
        folder = next((one for one in find_runs(self._root) if one.name == name), None)
        if folder is None:
            return None
        run, titles = open_run(folder), self._current()[2]
        details = run_details(run, titles.get(name, name), addresses(self._root).get(name))
        return {**details, "texts": texts([run], self._statements)}

    def tree(self, name: str, problem: str, sample: int) -> list[list[Any]] | None:
        """The stored search tree of one attempt; None when the folder holds no such run.

        Raises `UserError` where no tree is stored.
        """
        folder = next((one for one in find_runs(self._root) if one.name == name), None)
        return None if folder is None else tree_of(folder, problem, sample)

    def _current(self) -> tuple[str, str, dict[str, str]]:
        with self._lock:
            version = self.version()
            if version != self._made[0]:
                standing = self._rank()
                titles = {
                    part.run.name: part.name
                    for section in standing.sections
                    for row in section.rows
                    for part in row.parts
                }
                now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
                self._made = (version, page(standing, now, self._statements, live=True), titles)
            return self._made


def application(board: LiveBoard, host: str) -> Any:
    """The board as a Starlette application that answers to the names of `host` alone."""
    extras.need("serve")
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
    from starlette.routing import Route

    def front(request: Request) -> Response:
        return HTMLResponse(board.html(), headers={"Cache-Control": "no-store"})

    def version(request: Request) -> Response:
        return PlainTextResponse(board.version(), headers={"Cache-Control": "no-store"})

    def run(request: Request) -> Response:
        try:
            found = board.run(request.path_params["name"])
        except UserError as error:
            return PlainTextResponse(str(error), 500)
        return JSONResponse(found) if found is not None else PlainTextResponse("no such run", 404)

    def tree(request: Request) -> Response:
        given = request.path_params
        try:
            found = board.tree(given["name"], request.query_params.get("problem", ""), given["sample"])
        except UserError as error:
            return PlainTextResponse(str(error), 404)
        return JSONResponse(found) if found is not None else PlainTextResponse("no such run", 404)

    # A page of another site must not read the board by a name of its own that leads here.
    names = ["*"] if host not in LOOPBACK else [*LOOPBACK, "[::1]"]
    return Starlette(
        routes=[
            Route("/", front),
            Route("/version", version),
            Route("/run/{name}", run),
            Route("/tree/{name}/{sample:int}", tree),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=names)],
    )


def serve(board: LiveBoard, host: str, port: int) -> None:
    """Serve until Ctrl-C. Says where on standard error. Raises `UserError` when the address is taken."""
    board.html()  # what is wrong with the board is told here, not in a browser
    asyncio.run(_serve(board, host, port))


async def _serve(board: LiveBoard, host: str, port: int) -> None:
    async with listening(application(board, host), host, port) as url:
        print(f"harness: the board is at {url}/, Ctrl-C ends it", file=sys.stderr, flush=True)
        if host not in LOOPBACK:
            print("harness: whoever reaches this address can read every run here", file=sys.stderr)
        await until_stopped()
