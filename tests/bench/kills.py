"""Kill a run at random moments: no record may be lost or doubled, and it must end as one that nobody killed.

    python -m tests.bench.kills [--moments 100] [--seed 0]

Each moment starts `harness eval`, kills its process group with SIGKILL after a random time, and looks at the
records: the whole lines that were there stay, byte for byte, and no attempt stands there twice. A run that
was complete before its moment came is compared with an uninterrupted one, and the next moment begins another.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TOP = Path(__file__).parents[2]
RUN = (
    *("eval", "--benchmark", "smoke", "--prover", "portfolio", "--plain"),
    *("--set", "rounds=0", "--set", "runtime.concurrency=4", "--set", "tracking.wandb=off"),
)


def started(runs: Path) -> subprocess.Popen[bytes]:
    """The run, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "harness", *RUN, "--runs", str(runs)],
        cwd=TOP,
        env={**os.environ, "PYTHONPATH": str(TOP)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def whole_lines(runs: Path) -> bytes:
    """The records so far, without a torn last line."""
    [path] = list(runs.glob("*/records.jsonl")) or [runs / "none"]
    text = path.read_bytes() if path.exists() else b""
    return text[: text.rfind(b"\n") + 1]


def torn(runs: Path) -> bool:
    """Whether the kill left half a line."""
    return any(path.read_bytes()[-1:] not in (b"", b"\n") for path in runs.glob("*/records.jsonl"))


def facts(lines: bytes) -> dict[tuple[str, int], Any]:
    """Records by problem and sample, times aside. Raises AssertionError when one stands there twice."""
    found: dict[tuple[str, int], Any] = {}
    for line in lines.splitlines():
        row = json.loads(line)
        key = (row["problem_id"], row["attempt"]["index"])
        assert key not in found, f"{key} stands there twice"
        search = {
            name: value for name, value in (row["attempt"]["search"] or {}).items() if name[-2:] != "_s"
        }
        row["attempt"]["search"], row["verdict"]["seconds"] = search, 0
        found[key] = row
    return found


def completed(runs: Path) -> tuple[dict[tuple[str, int], Any], float]:
    """The records of a run that nobody kills, and the seconds that it took."""
    start = time.monotonic()
    run = started(runs)
    _, said = run.communicate()
    assert run.returncode == 0, said.decode()
    return facts(whole_lines(runs)), time.monotonic() - start


def moments(count: int, seed: int, root: Path) -> dict[str, int]:
    """What `count` random moments came to. Raises AssertionError at the first record lost or doubled."""
    rng = random.Random(seed)
    wanted, seconds = completed(root / "whole")
    tally = {"kills": 0, "complete runs": 0, "resumed with records": 0, "torn lines": 0}
    runs, before = root / "killed", b""
    for _ in range(count):
        run = started(runs)
        try:
            _, said = run.communicate(timeout=rng.uniform(0, 1.2 * seconds))
            assert run.returncode == 0, said.decode()
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            run.communicate()
            tally["kills"] += 1
        lines = whole_lines(runs)
        assert lines.startswith(before), "a record that was there is gone"
        facts(lines)
        tally["resumed with records"] += bool(before)
        tally["torn lines"] += any(
            path.read_bytes()[-1:] not in (b"", b"\n") for path in runs.glob("*/records.jsonl")
        )
        before = lines
        if run.returncode == 0:
            assert facts(lines) == wanted, "not the records of an uninterrupted run"
            tally["complete runs"] += 1
            shutil.rmtree(runs)
            before = b""
    if runs.exists():
        assert completed(runs)[0] == wanted, "not the records of an uninterrupted run"
    return tally


def main() -> int:
    """Print what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--moments", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        tally = moments(args.moments, args.seed, Path(root))
    print(", ".join(f"{count} {name}" for name, count in tally.items()), "- not one record lost or doubled")
    return 0


if __name__ == "__main__":
    sys.exit(main())
