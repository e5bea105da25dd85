"""Tokens and expansions a second of a Llama-shaped model of a stated size, on the CPU or a GPU.

    python -m tests.bench.model_rates [--size 0.5b] [--device auto] [--dtype bfloat16] [--states 64]
    python -m tests.bench.model_rates --make FOLDER --size 7b     (then `vllm serve FOLDER`, and beside it)
    python -m tests.bench.model_rates --server URL --model FOLDER

The weights are random and the vocabulary is small, so texts mean nothing and hardly ever end before their
limit; what a pass costs depends on neither. Asked as an evaluation asks, through the project's own engines:
sampled tactics after states (`bfs-prover`), with their log-probabilities; one state alone, as the search of a
lone problem asks; whole proofs.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from harness import devices
from harness.benchmarks.loading import load
from harness.policies.engine import Ask, Decoding, Engine
from harness.policies.opening import ComputePlace, open_policy
from harness.policies.spec import ServerPolicySpec, TransformersPolicySpec
from harness.prompts.prompt import Situation
from harness.prompts.registry import family
from harness.serving import bars
from tests.tiny_models import llama_config, make_tokenizer

SHAPES = {
    "25m": (512, 1408, 8, 8),
    "0.5b": (1280, 3456, 24, 10),
    "1.5b": (2048, 5504, 28, 16),
    "7b": (4096, 11008, 30, 32),
}
"""Width, width of the MLP, blocks, heads. The last is DeepSeek-Prover-V2-7B's."""
CONTEXT, VOCABULARY = 4096, 8192
FAMILY = "bfs-prover"


def make(folder: Path, size: str, dtype: str, device: str) -> int:
    """A model with random weights and its tokenizer; returns how many weights it has."""
    import torch
    from transformers import LlamaForCausalLM

    bars.only_on_a_terminal()

    tokenizer = make_tokenizer(folder, _texts(), VOCABULARY)
    width, inner, blocks, heads = SHAPES[size]
    config = llama_config(
        len(tokenizer),
        CONTEXT,
        hidden_size=width,
        intermediate_size=inner,
        num_hidden_layers=blocks,
        num_attention_heads=heads,
        num_key_value_heads=heads,
    )
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        with torch.device(device):
            torch.manual_seed(0)
            model = LlamaForCausalLM(config)
    finally:
        torch.set_default_dtype(before)
    model.save_pretrained(folder)
    return sum(weight.numel() for weight in model.parameters())


def _texts() -> list[str]:
    return [f"{item.statement}\n{item.gold}" for item in load("core-curriculum", "train")]


def asks(number: int, count: int) -> list[Ask]:
    """So many prompts, unlike each other, `count` answers of each."""
    write = family(FAMILY).tactic
    assert write is not None
    problems = load("core-curriculum", "train")[:number]
    states = [Situation(("⊢" + item.statement.partition(":")[2],)) for item in problems]
    return [Ask(write(state), count, seed) for seed, state in enumerate(states)]


async def timed(engine: Engine, name: str, asked: Sequence[Ask], limit: int) -> None:
    """Ask twice, the first time to warm up, and print what the second gave."""
    how = Decoding("sample", limit)
    await engine.complete(asked[: max(1, len(asked) // 8)], how)
    began = time.perf_counter()
    answers = await engine.complete(asked, how)
    seconds = time.perf_counter() - began
    tokens = sum(len(item.logprobs) for answer in answers for item in answer.completions)
    pace = f"{len(asked) / seconds:9.2f} prompts/s {tokens / seconds:10.0f} tokens/s"
    print(f"{name:<34} {seconds:8.2f} s {pace}", flush=True)


async def measure(args: argparse.Namespace, model: str, place: ComputePlace) -> None:
    """All figures of one model."""
    if args.server:
        spec = ServerPolicySpec(urls=args.server, model=model, prompt=FAMILY, in_flight=512)
        opened = open_policy(spec, place)
    else:
        opened = open_policy(TransformersPolicySpec(model=model, prompt=FAMILY, dtype=args.dtype), place)
    try:
        await opened.check()
        await timed(opened.engine, f"{args.states} states x 8, 48 tokens", asks(args.states, 8), 48)
        await timed(opened.engine, "one state x 8, 48 tokens", asks(1, 8), 48)
        length = args.length
        await timed(opened.engine, f"{args.proofs} proofs, {length} tokens", asks(args.proofs, 1), length)
    finally:
        await opened.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=sorted(SHAPES), default="0.5b")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--states", type=int, default=64)
    parser.add_argument("--proofs", type=int, default=64)
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--make", type=Path, metavar="FOLDER", help="only make the model, for a server")
    parser.add_argument("--server", action="append", metavar="URL")
    parser.add_argument("--model", help="name that the server has it under")
    args = parser.parse_args()
    device = devices.resolve(args.device)
    place = ComputePlace(device, args.threads)
    if args.server:
        asyncio.run(measure(args, args.model, place))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.make or Path(scratch)
        weights = make(folder, args.size, args.dtype, device)
        print(f"{weights / 1e6:,.0f} million weights, {args.dtype}, {device}", flush=True)
        if args.make is None:
            asyncio.run(measure(args, str(folder), place))


if __name__ == "__main__":
    main()
