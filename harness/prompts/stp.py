"""STP: the direct prompt of DeepSeek-Prover-V1.5, from which it is trained. Source: README of kfdong/STP."""

from __future__ import annotations

from harness.prompts.deepseek_prover_v1_5 import non_cot
from harness.prompts.extraction import until_fence
from harness.prompts.family import Advice, Family

FAMILIES = (
    Family("stp", "kfdong/STP README", proof=non_cot, read_proof=until_fence, advice=Advice(0.7, 1.0, 1024)),
)
