"""A generator of half a million weights that knows a few proofs by heart, asked as DeepSeek-Prover-V2 is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.prompts.files import opening
from harness.prompts.prompt import Prompt, Situation
from harness.prompts.registry import family
from harness.types import Problem
from tests.tiny_models import SPECIAL, llama_config, make_tokenizer

FAMILY = family("deepseek-prover-v2-resumed")
_ROWS = 16


def make_prover(path: Path, problems: Sequence[Problem], steps: int = 250) -> Path:
    """A causal model with a chat template that writes the gold proofs of `problems`, whole or by lines."""
    import torch
    from transformers import LlamaForCausalLM

    asked = [pair for problem in problems for pair in _asked(problem)]
    tokenizer = make_tokenizer(path, [text for pair in asked for text in pair], vocabulary=768)
    torch.manual_seed(0)
    shape = {"hidden_size": 128, "intermediate_size": 256, "num_attention_heads": 4}
    model = LlamaForCausalLM(llama_config(len(tokenizer), 512, **shape))
    rows = [_row(tokenizer, *pair) for pair in asked]
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for _ in range(steps):
        batch = [rows[place] for place in torch.randint(len(rows), (_ROWS,)).tolist()]
        longest = max(len(ids) for ids, _ in batch)
        ids = torch.tensor([row + [0] * (longest - len(row)) for row, _ in batch])
        labels = torch.tensor([row + [-100] * (longest - len(row)) for _, row in batch])
        loss = model(input_ids=ids, attention_mask=(ids != 0).long(), labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.save_pretrained(path)
    return path


def _asked(problem: Problem) -> Iterator[tuple[str, str]]:
    """Conversations as the chat template has them, up to what the model writes, and that."""
    assert FAMILY.proof is not None and FAMILY.tactic is not None and problem.gold is not None
    lines, file = problem.gold.split("\n"), opening(problem)
    proof = "".join(f"  {line}\n" for line in lines)
    yield _text(FAMILY.proof(problem)), f"```lean4\n{file}\n{proof}```{SPECIAL[1]}"
    for number, line in enumerate(lines):
        state = Situation(("⊢ True",), problem.theorem, tuple(lines[:number]), "", file=file)
        yield _text(FAMILY.tactic(state)), f"  {line}\n"


def _text(prompt: Prompt) -> str:
    question, *begun = prompt.messages
    return f"<|user|>{question.content}<|end|><|assistant|>" + "".join(turn.content for turn in begun)


def _row(tokenizer: Any, prompt: str, answer: str) -> tuple[list[int], list[int]]:
    """Tokens, and the labels of the answer's alone."""
    before, after = (tokenizer(text, add_special_tokens=False).input_ids for text in (prompt, answer))
    return before + after, [-100] * len(before) + after
