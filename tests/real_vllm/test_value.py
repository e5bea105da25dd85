"""Served values of a real vLLM against the same classifier in this process."""

from __future__ import annotations

import asyncio

import pytest

from harness.prompts.embedded import value_prompt
from harness.serving.fleet import Patience
from harness.serving.models import fleet
from harness.types import ProofState
from harness.values.classifier import ClassifierValue
from harness.values.served import PROBES, ServedValue, check_same
from tests.real_vllm.conftest import Served

pytestmark = pytest.mark.vllm

STATES = [*PROBES, *(ProofState((f"h{n} : p → q\n⊢ {'p ∧ ' * n}q",)) for n in range(70))]


def test_served_values_are_the_local_ones(value_model: Served) -> None:
    local = ClassifierValue(str(value_model.folder), value_prompt, threads=1)

    async def run() -> list[float]:
        made = ServedValue(
            fleet([value_model.url], "value.urls", 4, 60.0, Patience()), value_model.folder.name, value_prompt
        )
        try:
            await check_same(made, local)
            return await made.score(STATES)
        finally:
            await made.close()

    assert asyncio.run(run()) == pytest.approx(asyncio.run(local.score(STATES)), abs=1e-3)
