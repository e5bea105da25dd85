"""The agent inside OpenRLHF's own rollout worker, with real Ray and real vLLM. One to three minutes each.

`HARNESS_OPENRLHF_PYTHON` names the Python of an environment that has them (vLLM's CPU build, OpenRLHF without
its dependencies, Ray, DeepSpeed): `HARNESS_OPENRLHF_PYTHON=... pytest -m openrlhf`.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.benchmarks import loading
from harness.experiment.spec import GeneratorSpec
from harness.lean.services.embedded import CoreSessions
from harness.processes.kept import Process
from harness.prompts import embedded
from harness.spec import LeanSpec
from harness.types import Problem
from trainers import grpo_prompts, judge, sft
from trainers.judge import SETTINGS_VARIABLE
from trainers.openrlhf import launch

PYTHON = os.environ.get("HARNESS_OPENRLHF_PYTHON")
pytestmark = [
    pytest.mark.openrlhf,
    pytest.mark.skipif(PYTHON is None, reason="HARNESS_OPENRLHF_PYTHON names no Python with OpenRLHF"),
]
ROLLOUT = Path(__file__).with_name("rollout.py")
SAMPLES = 4
PROMPTS = 8
# vLLM's CPU build takes heads of 32 and more.
SPEC = GeneratorSpec(
    hidden_size=64, heads=2, layers=2, context=256, steps=300, batch_size=16, max_difficulty=2
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("model") / "checkpoint"
    theorems = [item for item in loading.load("core-curriculum", "train") if item.difficulty == 1][:400]
    sft.warm_start(SPEC, theorems, CoreSessions(), seed=0, threads=1, out=out, progress=lambda *_: None)
    return out


@pytest.fixture(scope="module")
def rows(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rows")
    easy = [item for item in loading.load("core-curriculum", "train") if item.difficulty == 1][:PROMPTS]
    _write(folder, model, easy)
    return folder


def _write(folder: Path, model: Path, easy: list[Problem]) -> None:
    texts = asyncio.run(grpo_prompts.texts(CoreSessions(), easy, embedded.load_tokenizer(model), 200))
    lines = [
        json.dumps({"prompt": text, "label": {"problem": judge.key(item)}})
        for text, item in zip(texts, easy, strict=True)
    ]
    (folder / "prompts.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    judge.write_problems(folder / "problems.jsonl", easy)


@pytest.fixture
def short() -> Iterator[str]:
    """Ray's sockets have names of 107 characters at most."""
    with tempfile.TemporaryDirectory(prefix="hr", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield folder


def _sample(model: Path, rows: Path, lean: LeanSpec, short: str) -> tuple[int, str]:
    told = judge.Settings(lean, rows / "problems.jsonl", None, unscored_in_a_row=6, deadline_s=20.0)
    told.write(rows / "reward.json")
    scratch = Path(short)
    process = Process(
        name="rollout",
        argv=(str(PYTHON), str(ROLLOUT), str(model), str(rows / "prompts.jsonl"), str(SAMPLES)),
        environment={
            SETTINGS_VARIABLE: str(rows / "reward.json"),
            "RAY_TMPDIR": short,
            "RAY_DEDUP_LOGS": "0",
            "VLLM_CPU_KVCACHE_SPACE": "1",
            "VLLM_NO_USAGE_STATS": "1",
            "HF_HUB_OFFLINE": "1",
        },
        dropped=("RAY_ADDRESS",),
        gpus=(),
        cpus=2,
        files=(),
        log=scratch / "log",
    )
    code = 0
    try:
        launch.run(process, scratch, launch.Limits(start_s=900, step_s=900, free_bytes=0), lambda _: None)
    except launch.Ended as ended:
        code = ended.code
    return code, process.log.read_text(encoding="utf-8", errors="replace")


def test_samples_are_rewarded_by_the_embedded_core(model: Path, rows: Path, short: str) -> None:
    code, text = _sample(model, rows, LeanSpec(service="core"), short)
    assert code == 0, text[-3000:]
    found = [json.loads(line) for line in text.splitlines() if line.startswith('{"label"')]
    assert len(found) == PROMPTS * SAMPLES
    groups = [found[start : start + SAMPLES] for start in range(0, len(found), SAMPLES)]
    assert all(len({item["label"]["problem"] for item in group}) == 1 for group in groups)
    assert {item["reward"] for item in found} == {0.0, 1.0}
    assert all(item["reward"] == item["score"] and item["unscored"] == 0.0 for item in found)


def test_a_dead_verifier_ends_the_run(model: Path, rows: Path, short: str) -> None:
    nobody = LeanSpec(service="kimina", urls=("http://127.0.0.1:9",), max_attempts=1, timeout_s=2.0)
    code, text = _sample(model, rows, nobody, short)
    assert code == 1, text[-3000:]
    assert "proofs in a row could not be judged" in text
