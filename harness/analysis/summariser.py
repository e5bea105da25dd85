"""A program: folders of runs on standard input, one a line; it leaves a `summary.json` in each."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from harness.analysis.runs import open_run
from harness.errors import UserError

if __name__ == "__main__":
    for line in sys.stdin:
        with suppress(UserError):
            _ = open_run(Path(line.rstrip("\n"))).summary
