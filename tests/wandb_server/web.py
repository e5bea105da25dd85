"""The stand-in's HTTP: GraphQL, the file stream, uploads and downloads, and faults on purpose."""

from __future__ import annotations

import base64
import gzip
import json
import re
import sys
import threading
import traceback
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.wandb_server.graphql import Answer, Parser, Refused
from tests.wandb_server.schema import mutations, queries
from tests.wandb_server.store import Store


@dataclass
class Fault:
    """What the next `times` requests of an operation get: a status, or (0) no answer until released."""

    status: int
    times: int


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Web

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: tests read `dump`."""

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        store = self.server.store
        if path == "/_dump":
            return self.reply(json.dumps(store.dump()).encode())
        if path.startswith("/_blob/"):
            return self.blob(store.blobs.get(path.removeprefix("/_blob/")))
        # Artifact files are asked for by the MD5 of their content, somewhere in the path.
        for part in re.findall(r"(?<=/)[0-9a-f]{32}(?=/|$)", path):
            name = store.by_md5.get(base64.b64encode(bytes.fromhex(part)).decode())
            if name in store.blobs:
                return self.blob(store.blobs[name])
        return self.reply(b"{}", 200 if path in ("/", "/healthz") else 404)

    def do_PUT(self) -> None:
        if self.faulty("upload"):
            return
        self.server.store.blobs[unquote(urlsplit(self.path).path).removeprefix("/_blob/")] = self.body()
        self.reply(b"{}")

    def do_POST(self) -> None:
        path, data = unquote(urlsplit(self.path).path), json.loads(self.body() or b"{}")
        try:
            if path == "/graphql":
                self.graphql(data)
            elif path.endswith("/file_stream"):
                self.stream(path, data)
            else:
                self.reply(b"{}", 404)
        except Refused as refusal:
            answer = {"data": None, "errors": [{"message": str(refusal)}]}
            self.reply(json.dumps(answer).encode(), refusal.status)
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001, what the stand-in lacks is told on the test's own output
            traceback.print_exc()
            self.reply(json.dumps({"errors": [{"message": repr(error)}]}).encode(), 500)

    def stream(self, path: str, data: dict[str, Any]) -> None:
        if self.faulty("file_stream"):
            return
        _, _, entity, project, name, _ = path.split("/")
        store = self.server.store
        with store.lock:
            run = store.runs.get(((entity, project), name))
            if run is None:
                raise Refused("no such run", 404)
            run.take(data)
            answer = {"stopped": True} if run.stopped else {}
        self.reply(json.dumps(answer).encode())

    def graphql(self, data: dict[str, Any]) -> None:
        document = Parser(data["query"]).document()
        name = data.get("operationName") or next(iter(document.operations))
        if self.faulty(name):
            return
        kind, defaults, parts = document.operations[name]
        store, base = self.server.store, f"http://{self.headers['Host']}"
        with store.lock:
            store.operations[name] += 1
            root = mutations(store, base) if kind == "mutation" else queries(store, base)
            answer = Answer(document, {**defaults, **(data.get("variables") or {})}, self.unknown)
            found = answer.of(root, parts)
        self.reply(json.dumps({"data": found}).encode())

    def unknown(self, field: str) -> None:
        self.server.store.unknown[field] += 1

    def faulty(self, operation: str) -> bool:
        """Whether a fault was answered (or, for a hang, nothing)."""
        status = self.server.fault(operation)
        if status is None:
            return False
        if status == 0:
            self.server.released.wait()
            self.close_connection = True
        else:
            self.reply(b'{"errors": [{"message": "on purpose"}]}', status)
        return True

    def body(self) -> bytes:
        if "chunked" in (self.headers.get("Transfer-Encoding") or ""):
            data = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(data) if self.headers.get("Content-Encoding") == "gzip" else data

    def blob(self, data: bytes | None) -> None:
        self.reply(data or b"", 404 if data is None else 200)

    def reply(self, data: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Web(ThreadingHTTPServer):
    """One listening server over a store."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, store: Store, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.store = store
        self.faults: dict[str, Fault] = {}
        self.released = threading.Event()

    def fault(self, operation: str) -> int | None:
        """The status of the fault planned for `operation` (or for `*`), which counts down."""
        for name in (operation, "*"):
            planned = self.faults.get(name)
            if planned is not None and planned.times > 0:
                planned.times -= 1
                return planned.status
        return None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed in the middle of a request is what these tests are about."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)
