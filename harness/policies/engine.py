"""What runs a language model: prompts in, completions with the log-probability of every token out.

An engine knows nothing of Lean. `harness.policies.hugging_face` is one in this process, `.openai` one over
HTTP; `.prompted` makes a policy of either.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from harness.prompts.prompt import Prompt
from harness.spec import DecodeSpec, WholeProofSpec

Finish = Literal["stop", "length"]
Method = Literal["greedy", "beam", "sample"]


@dataclass(frozen=True, slots=True)
class Decoding:
    """How tokens are chosen. The same words mean the same in every engine.

    In this order, as transformers has it: repetition penalty, temperature, top-k, top-p, min-p.
    """

    method: Method = "sample"
    """`greedy`: the likeliest token; `beam`: the likeliest sequences, no other setting counts; `sample`."""
    limit: int = 64
    """Tokens at most, terminator included."""
    temperature: float = 1.0
    top_k: int = 0
    """Only this many of the likeliest tokens; 0 keeps all."""
    top_p: float = 1.0
    """The likeliest tokens that together reach this probability (nucleus)."""
    min_p: float = 0.0
    """Only tokens at least this probable relative to the likeliest."""
    repetition_penalty: float = 1.0
    """Divides positive and multiplies negative logits of tokens already in prompt or answer."""

    @property
    def is_random(self) -> bool:
        """Whether the seed matters."""
        return self.method == "sample"

    @classmethod
    def of(cls, spec: DecodeSpec | WholeProofSpec) -> Decoding:
        """What an experiment file says."""
        limit = spec.max_tactic_tokens if isinstance(spec, DecodeSpec) else spec.max_new_tokens
        names = ("method", "temperature", "top_k", "top_p", "min_p", "repetition_penalty")
        return cls(limit=limit, **{name: getattr(spec, name) for name in names})


@dataclass(frozen=True, slots=True)
class Ask:
    """One question."""

    prompt: Prompt
    count: int
    """Completions wanted; a greedy one is always one."""
    seed: int


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer of the model."""

    text: str
    """Without terminator and stop string."""
    logprobs: tuple[float, ...]
    """Natural logarithm of the probability of each generated token under the model at temperature 1, without
    any of the settings of `Decoding`; the terminator's included."""
    finish: Finish
    """`length`: cut at the token limit or at the end of the context."""

    @property
    def logprob(self) -> float:
        """Sum over all tokens."""
        return math.fsum(self.logprobs)


@dataclass(frozen=True, slots=True)
class EngineAnswer:
    """What came of one question; no completion when the prompt was too long."""

    completions: tuple[Completion, ...]
    """Beams with the likeliest first."""
    prompt_tokens: int = 0
    overflow: str = ""
    """Why the prompt left no room for an answer; empty when it did."""


class Engine(Protocol):
    """What runs a model."""

    async def complete(self, asks: Sequence[Ask], decoding: Decoding) -> list[EngineAnswer]:
        """One answer for each question, in order. Raises `InfraError` when the machine is at fault."""
        ...


@runtime_checkable
class StreamingEngine(Protocol):
    """An engine that hands out each answer of a call when it ends, not all of them with the longest."""

    def answers(self, asks: Sequence[Ask], decoding: Decoding) -> AsyncIterator[tuple[int, EngineAnswer]]:
        """The answers that `Engine.complete` gives, each with its place, as they end."""
        ...
