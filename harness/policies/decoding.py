"""Batched decoding with shared prompts: beam search for tactics, seeded sampling for tactics and proofs.

Every function gives each prompt the result that it would have alone: float64 throughout (`llama`), one
random stream per sample, log-probabilities rounded to `DIGITS`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from harness.policies.llama import Llama, Prefix, Suffix

DIGITS = 6
"""Decimals kept of a log-probability; what batching changes lies eight orders of magnitude below."""

_TOKENS_PER_PASS = 8192
"""Prompt tokens of one prefill; larger batches gain nothing on a CPU and cost memory."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Token ids with a meaning of their own."""

    stops: tuple[int, ...]
    """Any of these ends a sequence; they count as one terminator whose probability is their sum."""
    never: tuple[int, ...]
    """Never generated (padding, separator)."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """One decoded sequence."""

    tokens: tuple[int, ...]
    """Without the terminator."""
    logprob: float
    """Sum over tokens and terminator under the model at temperature 1, natural logarithm, rounded."""
    stopped: bool
    """False: cut at the token limit, and no terminator is in `logprob`."""


@dataclass(frozen=True, slots=True)
class Draw:
    """How to sample: `limit` tokens at most, terminator included."""

    temperature: float
    limit: int


@torch.inference_mode()
def beam(
    model: Llama, prompts: Sequence[Sequence[int]], width: int, limit: int, ends: Ends
) -> list[list[Decoded]]:
    """The `width` most likely non-empty sequences of each prompt that beam search of that width finds.

    At most `limit` tokens each, terminator included; unfinished ones are left out. Best first.
    The search for a prompt ends when no live beam can still overtake the worst of `width` finished ones.
    """
    results: list[list[Decoded]] = [[] for _ in prompts]
    with model.scope():
        for rows in _passes(prompts):
            hidden, prefix = model.prefill([prompts[row] for row in rows])
            for row, found in zip(rows, _Beams(model, width, limit, ends).run(hidden, prefix), strict=True):
                results[row] = found
    return results


class _Beams:
    """State of one beam search; every tensor leads with (prompts, width)."""

    def __init__(self, model: Llama, width: int, limit: int, ends: Ends) -> None:
        self.model, self.width, self.limit, self.ends = model, width, limit, ends

    def run(self, hidden: Tensor, prefix: Prefix) -> list[list[Decoded]]:
        """`hidden` (prompts, hidden) after each prompt."""
        count, width = len(hidden), self.width
        results: list[list[Decoded]] = [[] for _ in range(count)]
        alive = torch.arange(count)
        score = torch.full((count, width), -torch.inf, dtype=hidden.dtype)
        score[:, 0] = 0.0
        history = torch.empty(count, width, 0, dtype=torch.long)
        finished = torch.full((count, width), -torch.inf, dtype=hidden.dtype)
        texts = torch.full((count, width, self.limit), -1)
        suffix: Suffix | None = None
        states = hidden[:, None].expand(-1, width, -1)
        for length in range(self.limit):
            goes_on, stop = _split(self.model.logits(states), self.ends)
            if length:
                finished, texts = self._harvest(finished, texts, score + stop, history)
            score, flat = (score[..., None] + goes_on).flatten(1).topk(width, dim=1)
            parent, token = flat // goes_on.shape[-1], flat % goes_on.shape[-1]
            history = torch.cat([_pick(history, parent), token[..., None]], dim=2)
            open_ = (
                (score[:, 0] > finished[:, -1]) if length + 1 < self.limit else torch.zeros(len(alive)).bool()
            )
            for place in (~open_).nonzero().flatten().tolist():
                results[int(alive[place])] = _finished(finished[place], texts[place])
            keep = open_.nonzero().flatten()
            if not len(keep):
                break
            if len(keep) < len(alive):
                alive, score, history, token = alive[keep], score[keep], history[keep], token[keep]
                finished, texts, parent = finished[keep], texts[keep], parent[keep]
                prefix = prefix.select(keep)
            if suffix is not None:
                suffix = suffix.select(keep, parent)
            states, suffix = self.model.step(token, prefix, suffix)
        return results

    def _harvest(
        self, finished: Tensor, texts: Tensor, ended: Tensor, history: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Merge the sequences that stop here into the best `width` finished ones."""
        padded = torch.full((*history.shape[:2], self.limit), -1)
        padded[..., : history.shape[2]] = history
        best, place = torch.cat([finished, ended], dim=1).topk(self.width, dim=1)
        return best, _pick(torch.cat([texts, padded], dim=1), place)


def _split(logits: Tensor, ends: Ends) -> tuple[Tensor, Tensor]:
    """Log-probabilities of going on with each token (stops and `never` at -inf), and of stopping."""
    logprob = torch.log_softmax(logits, dim=-1)
    stop = torch.logsumexp(logprob[..., list(ends.stops)], dim=-1)
    logprob[..., [*ends.stops, *ends.never]] = -torch.inf
    return logprob, stop


def _pick(table: Tensor, place: Tensor) -> Tensor:
    """`table` (prompts, n, length) at `place` (prompts, m)."""
    return table.gather(1, place[..., None].expand(-1, -1, table.shape[2]))


def _finished(scores: Tensor, texts: Tensor) -> list[Decoded]:
    found = [
        Decoded(tuple(token for token in text if token >= 0), round(score, DIGITS), True)
        for score, text in zip(scores.tolist(), texts.tolist(), strict=True)
        if score > -torch.inf
    ]
    return sorted(found, key=lambda item: (-item.logprob, item.tokens))


@torch.inference_mode()
def sample(
    model: Llama, prompts: Sequence[Sequence[int]], keys: Sequence[Sequence[str]], draw: Draw, ends: Ends
) -> list[list[Decoded]]:
    """For each prompt one sampled sequence per key; the same prompt and key give the same sequence.

    Each key seeds its own stream of uniform numbers, one a token, used to invert the cumulative distribution.
    """
    results: list[list[Decoded]] = [[] for _ in prompts]
    with model.scope():
        # Prompts with equally many samples share a pass, so that no row is idle from the start.
        for rows in _passes(prompts, [len(asked) for asked in keys]):
            if not keys[rows[0]]:
                continue
            hidden, prefix = model.prefill([prompts[row] for row in rows])
            uniform = torch.stack([_uniforms(keys[row], draw.limit) for row in rows]).to(model.device)
            for row, found in zip(rows, _draw(model, hidden, prefix, uniform, draw, ends), strict=True):
                results[row] = found
    return results


def _draw(
    model: Llama, hidden: Tensor, prefix: Prefix, uniform: Tensor, draw: Draw, ends: Ends
) -> list[list[Decoded]]:
    """Sample until every row has stopped; `uniform` (prompts, samples, limit)."""
    prompts, samples, limit = uniform.shape
    tokens = torch.full((prompts, samples, limit), -1)
    total = torch.zeros(prompts, samples, dtype=hidden.dtype)
    stopped = torch.zeros(prompts, samples, dtype=torch.bool)
    # `rows` and `columns` say which (prompt, sample) a live beam is; a row may hold spent beams as filling.
    rows, columns = torch.arange(prompts), torch.arange(samples).expand(prompts, samples)
    states, suffix = hidden[:, None].expand(-1, samples, -1), None
    stops = torch.tensor(ends.stops)
    for length in range(limit):
        place = (rows[:, None], columns)
        token, logprob = _choose(model.logits(states), uniform[(*place, torch.tensor(length))], draw, ends)
        fresh = ~stopped[place]
        total[place] += torch.where(fresh, logprob, 0.0)
        ended = torch.isin(token, stops)
        tokens[(*place, torch.tensor(length))] = torch.where(fresh & ~ended, token, -1)
        stopped[place] |= ended
        live = ~stopped[place]
        keep = live.any(dim=1).nonzero().flatten()
        if not len(keep) or length + 1 == limit:
            break
        # The live beams of each row move to the front, and the rows are cut to the longest such front.
        front = live[keep].long().argsort(dim=1, descending=True, stable=True)
        front = front[:, : int(live[keep].sum(dim=1).max())]
        if len(keep) < len(rows):
            prefix = prefix.select(keep)
        rows, columns, token = rows[keep], columns[keep].gather(1, front), token[keep].gather(1, front)
        suffix = None if suffix is None else suffix.select(keep, front)
        states, suffix = model.step(token, prefix, suffix)
    return [
        [
            Decoded(tuple(t for t in text if t >= 0), round(score, DIGITS), done)
            for text, score, done in zip(*row, strict=True)
        ]
        for row in zip(tokens.tolist(), total.tolist(), stopped.tolist(), strict=True)
    ]


def _choose(logits: Tensor, uniform: Tensor, draw: Draw, ends: Ends) -> tuple[Tensor, Tensor]:
    """Tokens drawn at the temperature, and their log-probabilities at temperature 1; both (prompts, samples).

    Any of the stops gives the log-probability of stopping.
    """
    logprob = torch.log_softmax(logits, dim=-1)
    allowed = logits / draw.temperature
    allowed[..., list(ends.never)] = -torch.inf
    upper = torch.softmax(allowed, dim=-1).cumsum(dim=-1)
    token = torch.searchsorted(upper, (uniform * upper[..., -1])[..., None], right=True).squeeze(-1)
    token = token.clamp(max=logits.shape[-1] - 1)
    stop = torch.logsumexp(logprob[..., list(ends.stops)], dim=-1)
    chosen = logprob.gather(-1, token[..., None]).squeeze(-1)
    return token, torch.where(torch.isin(token, torch.tensor(ends.stops)), stop, chosen)


def _uniforms(keys: Sequence[str], count: int) -> Tensor:
    """(keys, count) numbers in [0, 1), each row from its key alone."""
    rows = []
    for key in keys:
        seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:16], "big")
        rows.append(np.random.Generator(np.random.PCG64(seed)).random(count))
    return torch.from_numpy(np.stack(rows))


def _passes(prompts: Sequence[Sequence[int]], groups: Sequence[int] | None = None) -> list[list[int]]:
    """Indices of `prompts` in passes of similar length (and equal group), each within the token limit."""
    of = groups or [0] * len(prompts)
    order = sorted(range(len(prompts)), key=lambda i: (of[i], len(prompts[i])))
    passes: list[list[int]] = []
    for index in order:
        rows = passes[-1] if passes else []
        # Ascending lengths: the newcomer is the longest, so it sets the padded width.
        if not rows or of[rows[0]] != of[index] or (len(rows) + 1) * len(prompts[index]) > _TOKENS_PER_PASS:
            passes.append([index])
        else:
            rows.append(index)
    return passes
