"""A stand-in for the `lean` command: `lean --json FILE` as documented, with the embedded core behind it.

    fake_lean.py SOCKET [--json] FILE

The core is asked over a Unix socket, so that a check costs no start of it: the file's text goes there, its
messages come back as JSON. A name `fake_<fault>` anywhere in the file is a fault on demand.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import time
from pathlib import Path
from typing import Any

HOARD: list[bytearray] = []


def messages(path: str, text: str) -> list[dict[str, Any]]:
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(path)
        link.sendall(text.encode())
        link.shutdown(socket.SHUT_WR)
        answer = json.loads(b"".join(iter(lambda: link.recv(1 << 16), b"")))
    extra = {"caption": "", "fileName": "Check.lean", "isSilent": False, "keepFullRange": False}
    return [
        {**extra, "kind": "[anonymous]", **note, "severity": note["severity"].replace("info", "information")}
        for note in answer.get("messages", [])
    ]


def main(argv: list[str]) -> int:
    text = Path(argv[-1]).read_text(encoding="utf-8")
    found = messages(argv[0], text)
    status = int(any(note["severity"] == "error" for note in found))
    faults = set(re.findall(r"fake_([a-z]+)", text))
    if "crash" in faults:
        print("Stack overflow detected. Aborting.", file=sys.stderr)
        return 134
    if "signal" in faults:
        os.kill(os.getpid(), 11)
    if "hang" in faults:
        time.sleep(3600)
    if "child" in faults and os.fork() == 0:
        os.execvp("sleep", ["sleep", "36007"])
    if "grow" in faults:
        for _ in range(4096):
            HOARD.append(bytearray(b"x" * (1 << 20)))
    if "flood" in faults:
        while True:
            print("x" * (1 << 20))
    if "garbage" in faults:
        print("stray output")
    if "unknown" in faults:
        found = [{**note, "verdict": "fine"} for note in found]
    if "silent" in faults:
        found, status = [], 0
    if "lenient" in faults:
        status = 0
    for note in found:
        print(json.dumps(note, ensure_ascii=False, separators=(",", ":")))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
