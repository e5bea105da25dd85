"""A stand-in for a Python with vLLM: tells its version, serves the folder that it is given, or misbehaves.

python stub_vllm.py -m vllm.entrypoints.openai.api_server --model FOLDER --served-model-name NAME --port N ...

Every whole proof is `  trivial`. STUB_VLLM: `dies` before it listens, `mute` too and says nothing of it,
`deaf` never listens, `other` serves another model; a number: ends after so many answers, where the file
STUB_ONCE is there, and deletes that.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TEXT = "  trivial\n```"
HOW = os.environ.get("STUB_VLLM", "")
answered = 0
lock = threading.Lock()


def option(name: str) -> str:
    return sys.argv[sys.argv.index(name) + 1]


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        name = "another" if HOW == "other" else option("--served-model-name")
        card = {"id": name, "root": option("--model"), "max_model_len": 512}
        self._send({"data": [card]} if self.path == "/v1/models" else {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._count()
        tokens = min(len(TEXT), body["max_tokens"])
        choice = {
            "index": 0,
            "text": TEXT[:tokens],
            "finish_reason": "length",
            "logprobs": {"token_logprobs": [-0.5] * tokens},
        }
        self._send({"choices": [choice], "usage": {"prompt_tokens": 7, "completion_tokens": tokens}})

    def _count(self) -> None:
        global answered
        with lock:
            answered += 1
            once = Path(os.environ.get("STUB_ONCE", "/nowhere"))
            if HOW.isdecimal() and answered > int(HOW) and once.exists():
                once.unlink()
                print("CUDA error: an illegal memory access was encountered", flush=True)
                os._exit(9)

    def _send(self, told: Any) -> None:
        sent = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, format: str, *args: Any) -> None:
        """No line for each request."""


def main() -> None:
    if sys.argv[1] == "-c":
        print(json.dumps({"vllm": "0.32.0"}))
        return
    print("loading", flush=True)
    if HOW == "dies":
        print("ValueError: Free memory on device is less than desired", flush=True)
        sys.exit(3)
    if HOW == "mute":
        os.kill(os.getpid(), signal.SIGKILL)
    if HOW == "deaf":
        time.sleep(600)
    ThreadingHTTPServer(("127.0.0.1", int(option("--port"))), Answers).serve_forever()


if __name__ == "__main__":
    main()
