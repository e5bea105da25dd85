"""From logits to a token: where decoding settings take effect, for every model that runs in process."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from harness.policies.engine import Decoding


def choose(logits: Tensor, uniform: Tensor, decoding: Decoding, seen: Tensor | None = None) -> Tensor:
    """Tokens (...) chosen from `logits` (..., vocabulary).

    `uniform` (...) in [0, 1) inverts the cumulative distribution when sampling; `seen` as for `warp`.
    """
    allowed = warp(logits, decoding, seen)
    if decoding.method == "greedy":
        return allowed.argmax(dim=-1)
    upper = torch.softmax(allowed, dim=-1).cumsum(dim=-1)
    place = (uniform.to(upper.dtype) * upper[..., -1])[..., None]
    return torch.searchsorted(upper, place, right=True).squeeze(-1).clamp(max=logits.shape[-1] - 1)


def warp(logits: Tensor, decoding: Decoding, seen: Tensor | None = None) -> Tensor:
    """`logits` (..., vocabulary) with every setting applied; tokens that are out get -inf.

    `seen` (..., vocabulary) marks the tokens that prompt and answer hold already; only the repetition penalty
    asks for it. Greedy decoding applies that penalty alone.
    """
    if decoding.repetition_penalty != 1.0 and seen is not None:
        penalty = decoding.repetition_penalty
        logits = torch.where(seen, torch.where(logits < 0, logits * penalty, logits / penalty), logits)
    if decoding.method != "sample":
        return logits
    logits = logits / decoding.temperature
    if decoding.top_k:
        least = logits.topk(min(decoding.top_k, logits.shape[-1]), dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    if decoding.top_p < 1.0:
        logits = logits.masked_fill(_outside_nucleus(logits, decoding.top_p), -torch.inf)
    if decoding.min_p > 0.0:
        probability = torch.softmax(logits, dim=-1)
        least = decoding.min_p * probability.amax(dim=-1, keepdim=True)
        logits = logits.masked_fill(probability < least, -torch.inf)
    return logits


def _outside_nucleus(logits: Tensor, top_p: float) -> Tensor:
    """Marks the least likely tokens that together have at most 1 - top_p; the likeliest always stays."""
    ascending, order = logits.sort(dim=-1, descending=False)
    out = torch.softmax(ascending, dim=-1).cumsum(dim=-1) <= 1.0 - top_p
    out[..., -1] = False
    return torch.zeros_like(out).scatter(-1, order, out)


def stream(key: str) -> Iterator[float]:
    """Numbers in [0, 1) that depend on `key` alone, without end: one a token."""
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:16], "big")
    numbers = np.random.Generator(np.random.PCG64(seed))
    while True:
        yield float(numbers.random())
