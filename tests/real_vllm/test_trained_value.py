"""A value model by `trainers.value_trainer`, served by a real vLLM, against itself in this process."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from harness.experiment.node import ValueTrainerSpec
from harness.experiment.spec import ValueSpec
from harness.types import ProofState
from harness.values.opening import open_trained, open_value
from harness.values.spec import ServerValueSpec
from tests.real_vllm.server import serving
from tests.tiny_models import make_causal_lm
from trainers import value_trainer
from trainers.trajectories import LabelledState

pytestmark = pytest.mark.vllm

CONTEXT = 128
LONG = ProofState(("\n".join(f"h{n} : p ∧ q" for n in range(60)) + "\n⊢ q ∧ p", "⊢ p → p"))
STATES = [LONG, *(ProofState((f"h{n} : p → q\n⊢ {'p ∧ ' * n}q",)) for n in range(20))]


def states() -> list[LabelledState]:
    return [
        LabelledState(f"t{n}", f"t{n}", f"h{n} : p\n⊢ {' ∧ '.join(['p'] * left)}", left, "proof", "x", 0)
        for n in range(30)
        for left in (1, 2, 3, 4)
    ]


def test_served_values_are_those_in_process(vllm_python: Path, tmp_path: Path) -> None:
    backbone, out = make_causal_lm(tmp_path / "tiny"), tmp_path / "judge"
    how = ValueTrainerSpec(micro_batch=8, max_tokens=CONTEXT)
    value_trainer.train(
        ValueSpec(trainer=how, epochs=3, batch_size=8, learning_rate=3e-3, held_out=0.2),
        states(),
        str(backbone),
        seed=0,
        where=value_trainer.Hardware("cpu", 1),
        out=out,
        progress=lambda *_: None,
    )
    with serving(vllm_python, out, tmp_path / "judge.log", "--runner", "pooling", context=CONTEXT) as url:
        opened = open_value(
            ServerValueSpec(urls=(url,), model="judge", checkpoint=str(out), prompt="state"), threads=1
        )

        async def ask() -> list[float]:
            try:
                await opened.check()
                return await opened.value.score(STATES)
            finally:
                await opened.close()

        served = asyncio.run(ask())
    local = asyncio.run(open_trained(out, threads=1).score(STATES))
    print("largest difference", max(abs(a - b) for a, b in zip(served, local, strict=True)))
    assert served == pytest.approx(local, abs=1e-3)
    assert max(local) - min(local) > 0.01
