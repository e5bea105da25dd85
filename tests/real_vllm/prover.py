"""A generator of half a million weights that knows a few proofs by heart, asked as DeepSeek-Prover-V2 is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.prompts.registry import family
from harness.types import Problem
from tests.tiny_models import SPECIAL, llama_config, make_tokenizer

FAMILY = "deepseek-prover-v2-resumed"


def make_prover(path: Path, problems: Sequence[Problem], steps: int = 250) -> Path:
    """A causal model with a chat template that writes the gold proofs of `problems`; half a minute."""
    import torch
    from transformers import LlamaForCausalLM

    asked = [_asked(problem) for problem in problems]
    tokenizer = make_tokenizer(path, [text for pair in asked for text in pair], vocabulary=768)
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        llama_config(len(tokenizer), 512, hidden_size=128, intermediate_size=256, num_attention_heads=4)
    )
    prompts = [tokenizer(prompt, add_special_tokens=False).input_ids for prompt, _ in asked]
    answers = [tokenizer(answer + SPECIAL[1], add_special_tokens=False).input_ids for _, answer in asked]
    rows = [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)]
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    labels = torch.tensor(
        [
            [-100] * len(prompt) + answer + [-100] * (longest - len(prompt) - len(answer))
            for prompt, answer in zip(prompts, answers, strict=True)
        ]
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for _ in range(steps):
        loss = model(input_ids=ids, attention_mask=(ids != 0).long(), labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.save_pretrained(path)
    return path


def _asked(problem: Problem) -> tuple[str, str]:
    """The conversation up to the answer as the chat template has it, and the answer with the gold proof."""
    ask = family(FAMILY).proof
    assert ask is not None and problem.gold is not None
    [turn] = ask(problem).messages
    proof = "\n".join(f"  {line}" for line in problem.gold.split("\n"))
    answer = f"```lean4\n{problem.header}{problem.statement} := by\n{proof}\n```"
    return f"<|user|>{turn.content}<|end|><|assistant|>", answer
