"""What several test files share: the option for long sets, a tiny generator trained once on toy theorems."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from harness.experiment.spec import GeneratorSpec
from harness.types import Problem
from tests.toy_logic import World, make

# Tests run beside each other, one on each core; torch's threads would only wait for one another, busily.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A background job of a script ignores Ctrl-C, and so would every process that a test starts there.
if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    and threading.current_thread() is threading.main_thread()
):
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A loaded machine is no fault of an example: no test fails for the time that one took.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# Tests start the command hundreds of times; with this set each start would compile the whole package again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

TINY = GeneratorSpec(
    hidden_size=48, layers=1, heads=2, vocab_size=300, context=128, max_difficulty=9, steps=400, batch_size=16
)


IN_FULL = "--in-full"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        IN_FULL,
        action="store_true",
        help="take the long sets whole, not the shares of tests/shares.py",
    )


@pytest.fixture(scope="session")
def in_full(request: pytest.FixtureRequest) -> bool:
    """Whether the long sets are wanted whole."""
    return bool(request.config.getoption(IN_FULL))


@dataclass(frozen=True)
class Trained:
    """A warm-started generator and the toy theorems it was trained on."""

    path: Path
    world: World
    problems: list[Problem]
    metrics: dict[str, float]
    progress: list[tuple[int, int, dict[str, float]]]


@pytest.fixture(scope="session")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    from trainers import sft

    path = tmp_path_factory.mktemp("generator") / "checkpoint"
    world, problems = make(150)
    calls: list[tuple[int, int, dict[str, float]]] = []
    metrics = sft.warm_start(
        TINY, problems, world, seed=0, threads=1, out=path, progress=lambda *call: calls.append(call)
    )
    return Trained(path, world, problems, metrics, calls)
