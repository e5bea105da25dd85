"""A process that works for this one: it answers, its death is told, and it outlives nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from harness.errors import ServiceDown
from harness.processes.helper import Helper

ECHO = "tests.processes.echo"
ROOT = Path(__file__).parents[2]


def gone(pid: int) -> bool:
    """Whether the process ends within some seconds."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


def test_answers_come_in_order_whatever_else_is_printed() -> None:
    helper = Helper(ECHO)
    helper.send("a")
    helper.send("b")
    assert [helper.receive()[1], helper.receive()[1]] == ["aa", "bb"]
    helper.kill()


def test_a_dead_process_is_the_machines_failure() -> None:
    helper = Helper(ECHO)
    helper.send("die")
    with pytest.raises(ServiceDown, match=r"tests\.processes\.echo ended with code 3"):
        helper.receive()
    with pytest.raises(ServiceDown):
        helper.send("a")


def test_killing_it_wakes_whoever_waits() -> None:
    helper = Helper(ECHO)
    helper.send("sleep")
    threading.Timer(0.5, helper.kill).start()
    with pytest.raises(ServiceDown, match="signal 9"):
        helper.receive()


@pytest.mark.parametrize("busy", [False, True])
def test_it_ends_with_whoever_asked_also_after_kill_9(busy: bool) -> None:
    program = f"""
import time
from harness.processes.helper import Helper
helper = Helper({ECHO!r})
helper.send("a")
print(helper.receive()[0], flush=True)
if {busy}: helper.send("sleep")
time.sleep(600)
"""
    asker = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=ROOT, text=True)
    assert asker.stdout is not None
    pid = int(asker.stdout.readline())
    os.kill(asker.pid, signal.SIGKILL)
    asker.wait()
    assert gone(pid)


def test_it_runs_this_code_whatever_lies_in_the_folder_that_one_works_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("queue.py", "harness.py"):
        (tmp_path / name).write_text("raise SystemExit(7)\n")
    monkeypatch.chdir(tmp_path)
    helper = Helper(ECHO)
    helper.send("a")
    assert helper.receive()[1] == "aa"
    helper.kill()
