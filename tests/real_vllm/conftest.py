"""Real servers as fixtures. Starting them takes minutes, so only `-m vllm` does, and installs vLLM first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.real_vllm.install import home_folder, install
from tests.real_vllm.server import serving
from tests.tiny_models import make_causal_lm, make_classifier


@dataclass(frozen=True)
class Served:
    """A model that a server runs, and the folder that it was loaded from."""

    url: str
    folder: Path


@pytest.fixture(scope="session")
def vllm_python(request: pytest.FixtureRequest) -> Path:
    """An interpreter with vLLM. Skips where these tests were not asked for."""
    if "vllm" not in request.config.getoption("markexpr"):
        pytest.skip("starts a real vLLM server; ask for it with -m vllm")
    return install(home_folder())


@pytest.fixture(scope="session")
def language_model(vllm_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A served causal model with random weights and a chat template; its context is 256 tokens."""
    folder = make_causal_lm(tmp_path_factory.mktemp("served") / "tiny", context=256)
    with serving(vllm_python, folder, folder.parent / "tiny.log", context=256) as url:
        yield Served(url, folder)


@pytest.fixture(scope="session")
def value_model(vllm_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A served classifier with one label and random weights; its context is 256 tokens."""
    folder = make_classifier(tmp_path_factory.mktemp("served") / "judge", context=256)
    with serving(vllm_python, folder, folder.parent / "judge.log", "--runner", "pooling", context=256) as url:
        yield Served(url, folder)
