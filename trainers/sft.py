"""Supervised training of the generator: the warm start on gold proofs, and expert iteration.

The functions block: call them outside an event loop, or through `asyncio.to_thread`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from harness import checkpoints
from harness.errors import StoreError, UserError, boundary
from harness.experiment.spec import ExpertIterationSpec, GeneratorSpec
from harness.prompts import embedded
from harness.protocols import Sessions
from harness.types import Problem
from trainers import examples, fitting, tokenizer, trunk
from trainers.examples import Example
from trainers.fitting import Progress, Schedule

_IGNORED = -100


def warm_start(
    spec: GeneratorSpec,
    problems: Sequence[Problem],
    sessions: Sessions,
    *,
    seed: int,
    threads: int,
    out: Path,
    progress: Progress,
    device: str = "cpu",
    save_s: float = fitting.SAVE_S,
) -> dict[str, float]:
    """Make tokenizer and Llama from `spec` and train on the gold proofs of the easy `problems`.

    Easy: difficulty at most `spec.max_difficulty`; problems without difficulty or gold proof are left out.
    Writes a generator checkpoint to `out` and returns its metrics. Raises `UserError` when nothing is left
    to train on, `InfraError` when replaying a gold proof fails for the machine's reasons.
    """
    started = time.monotonic()
    easy = [
        p for p in problems if p.gold and p.difficulty is not None and p.difficulty <= spec.max_difficulty
    ]
    gold = [(problem, problem.gold or "") for problem in easy]
    found, skipped = asyncio.run(examples.from_proofs(sessions, gold))
    if not found:
        raise UserError(
            f"generator.max_difficulty: {spec.max_difficulty} leaves no training theorem with a usable gold"
            " proof; raise it, or name another benchmark under train"
        )
    texts = [example.prompt.removesuffix(embedded.SEPARATOR) for example in found]
    made = tokenizer.build([*texts, *(example.completion for example in found)], spec.vocab_size)
    with fitting.repeatable(seed, threads, device):
        model = _new_model(spec, made.get_vocab_size()).to(device)
        plan = Schedule(spec.steps, spec.batch_size, spec.learning_rate, seed=seed)
        loss = _train(model, made, found, plan, progress, fitting.beside(out, save_s))
    metrics = {
        "loss": loss,
        "examples": float(len(found)),
        "theorems": float(len(gold) - skipped),
        "skipped": float(skipped),
        "parameters": float(sum(weight.numel() for weight in model.parameters())),
        "seconds": time.monotonic() - started,
    }
    save(model, tokenizer.wrap(made, spec.context), out, parent=None, metrics=metrics)
    return metrics


def fine_tune(
    spec: ExpertIterationSpec,
    parent: Path,
    found: Sequence[Example],
    *,
    seed: int,
    threads: int,
    out: Path,
    progress: Progress,
    device: str = "cpu",
    save_s: float = fitting.SAVE_S,
) -> dict[str, float]:
    """Train the generator at `parent` further on `found` (see `examples.from_proofs`) and write it to `out`.

    Raises `UserError` when `parent` is no usable generator or there is no example.
    """
    from transformers import LlamaForCausalLM

    started = time.monotonic()
    checkpoints.intact(parent, "generator")
    if not found:
        raise UserError("trajectories.problems: the search found no proof to train on; search more theorems")
    made = embedded.load_tokenizer(parent)
    with fitting.repeatable(seed, threads, device):
        model = LlamaForCausalLM.from_pretrained(parent).to(device)
        plan = Schedule(spec.steps, spec.batch_size, spec.learning_rate, seed=seed)
        loss = _train(model, made, found, plan, progress, fitting.beside(out, save_s))
    metrics = {"loss": loss, "examples": float(len(found)), "seconds": time.monotonic() - started}
    save(
        model, tokenizer.wrap(made, model.config.max_position_embeddings), out, parent=parent, metrics=metrics
    )
    return metrics


def _new_model(spec: GeneratorSpec, vocabulary: int) -> Any:
    """A Llama with random weights; its MLP has 8/3 of the width, as Llama's, in steps of 8."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=spec.hidden_size,
        intermediate_size=max(8, spec.hidden_size * 8 // 3 // 8 * 8),
        num_hidden_layers=spec.layers,
        num_attention_heads=spec.heads,
        num_key_value_heads=spec.heads,
        max_position_embeddings=spec.context,
        tie_word_embeddings=True,
        pad_token_id=embedded.PAD_ID,
        eos_token_id=embedded.END_ID,
        bos_token_id=None,
    )
    return LlamaForCausalLM(config)


def _train(
    model: Any,
    made: Any,
    found: Sequence[Example],
    plan: Schedule,
    progress: Progress,
    saving: fitting.Saving,
) -> float:
    rows = [_encode(made, example, model.config.max_position_embeddings) for example in found]

    def loss_of(batch: list[int]) -> Tensor:
        ids = fitting.pad([rows[i][0] + rows[i][1] for i in batch], embedded.PAD_ID, model.device)
        labels = fitting.pad(
            [[_IGNORED] * len(rows[i][0]) + rows[i][1] for i in batch], _IGNORED, model.device
        )
        wanted = labels[:, 1:] != _IGNORED
        hidden = trunk.hidden_at(model.model, ids[:, :-1], wanted)
        return F.cross_entropy(model.lm_head(hidden), labels[:, 1:][wanted])

    lengths = [len(prompt) + len(rest) for prompt, rest in rows]
    return fitting.fit(model, loss_of, lengths, plan, progress, saving)


def _encode(made: Any, example: Example, context: int) -> tuple[list[int], list[int]]:
    """Prompt ids, shortened where they must be, and completion ids with the end token."""
    completion = [*made.encode(example.completion).ids, embedded.END_ID][: context // 2]
    return embedded.encode(made, example.prompt, context - len(completion)), completion


def save(
    model: Any, wrapped: Any, out: Path, *, parent: Path | None, metrics: Mapping[str, float | None]
) -> None:
    """Write a generator checkpoint; its description comes last. Raises `StoreError` when that fails."""
    with boundary(StoreError, f"{out}: the checkpoint cannot be written"):
        out.mkdir(parents=True, exist_ok=True)
        model.save_pretrained(out)
        wrapped.save_pretrained(out)
    checkpoints.seal(out, "generator", prompt_format=embedded.FORMAT, parent=parent, metrics=metrics)
    fitting.beside(out).done()
