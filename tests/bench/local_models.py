"""What the local models cost: proposals, whole proofs and values a second, and the price of float64.

    python tests/bench/local_models.py [CHECKPOINT] [--threads 2]

Without a checkpoint, random weights of the default size and random prompts: every proposal then runs to the
token limit, so the figures are a lower bound.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from pathlib import Path

import torch

from harness.experiment.spec import GeneratorSpec
from harness.policies import decoding, llama
from harness.policies.engine import Decoding
from harness.policies.llama import Llama
from harness.prompts import embedded
from harness.spec import DecodeSpec, WholeProofSpec

STATES, REPEATS = 64, 3


def timed(name: str, items: int, work: Callable[[], object]) -> None:
    work()
    best = min(_seconds(work) for _ in range(REPEATS))
    print(f"{name:<48} {items / best:10.0f} a second")


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def random_model(spec: GeneratorSpec) -> Llama:
    from trainers.sft import _new_model

    torch.manual_seed(0)
    model = _new_model(spec, spec.vocab_size)
    return Llama(model.config.to_dict(), dict(model.state_dict()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", nargs="?", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    decode, whole = DecodeSpec(), WholeProofSpec()
    rng = random.Random(0)
    asked = [[rng.randrange(3, 260) for _ in range(rng.randrange(25, 65))] for _ in range(STATES)]
    keys = [[str(n) for n in range(8)] for _ in asked]
    ends = decoding.Ends((embedded.END_ID, 10), (embedded.PAD_ID, embedded.SEPARATOR_ID))
    for dtype in (torch.float64, torch.float32):
        llama.DTYPE = dtype
        model = (
            llama.load(given.checkpoint, "generator") if given.checkpoint else random_model(GeneratorSpec())
        )
        name = str(dtype).removeprefix("torch.")
        timed(f"{name}: hidden states of {STATES} prompts", STATES, lambda m=model: m.prefill(asked))
        timed(
            f"{name}: states, beam of {decode.width}, 8 tokens",
            STATES,
            lambda m=model: decoding.beam(m, asked, decode.width, 8, ends),
        )
        timed(
            f"{name}: whole proofs, 8 a prompt, 32 tokens",
            8 * STATES,
            lambda m=model: decoding.sample(
                m, asked, keys, Decoding(temperature=whole.temperature, limit=32), ends
            ),
        )


if __name__ == "__main__":
    main()
