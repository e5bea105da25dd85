"""Batched decoding with shared prompts: beam search for tactics, seeded sampling for tactics and proofs.

Every function gives each prompt the result that it would have alone: float64 throughout (`llama`), one
random stream per sample, log-probabilities rounded to `DIGITS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from harness.policies.choosing import choose, stream
from harness.policies.engine import Decoding
from harness.policies.llama import Llama, Prefix, Suffix

DIGITS = 6
"""Decimals kept of a log-probability; what batching changes lies eight orders of magnitude below."""

_TOKENS_PER_PASS, _TOKENS_PER_PASS_ON_A_GPU = 3072, 8192
"""Prompt tokens, with padding, that are decoded together; larger batches gain nothing on a CPU."""


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
        for rows in _passes(model, prompts):
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


Told = Callable[[int, int, Decoded], None]
"""Hears of a sequence when it has ended: the number of its prompt, the number of its key, and itself."""


@torch.inference_mode()
def sample(
    model: Llama,
    prompts: Sequence[Sequence[int]],
    keys: Sequence[Sequence[str]],
    how: Decoding,
    ends: Ends,
    told: Told | None = None,
) -> list[list[Decoded]]:
    """For each prompt one sequence per key; the same prompt and key give the same sequence.

    Each key seeds its own stream of uniform numbers, one a token; greedy decoding uses none. `told` hears of
    each sequence as soon as it has ended.
    """
    found: dict[tuple[int, int], Decoded] = {}
    with model.scope():
        sampling = _Sampling(model, how, ends)
        # Prompts with equally many samples share a pass, so that no row is idle from the start.
        for rows in _passes(model, prompts, [len(asked) for asked in keys]):
            if not keys[rows[0]]:
                continue
            for at, column, sequence in sampling.run([prompts[i] for i in rows], [keys[i] for i in rows]):
                found[rows[at], column] = sequence
                if told is not None:
                    told(rows[at], column, sequence)
    return [[found[row, column] for column in range(len(asked))] for row, asked in enumerate(keys)]


class _Sampling:
    """Token by token, every sample with its own stream of numbers."""

    def __init__(self, model: Llama, how: Decoding, ends: Ends) -> None:
        self.model, self.how, self.ends = model, how, ends
        self.stops = torch.tensor(ends.stops)

    def run(
        self, prompts: Sequence[Sequence[int]], keys: Sequence[Sequence[str]]
    ) -> Iterator[tuple[int, int, Decoded]]:
        """Choose until every row has stopped, and give each sequence when it has: prompt, key, sequence.

        Every prompt has equally many keys.
        """
        count, samples, limit = len(prompts), len(keys[0]), self.how.limit
        hidden, prefix = self.model.prefill(prompts)
        uniform = torch.stack([_uniforms(row, limit) for row in keys]).to(self.model.device)
        seen = self._seen(prompts, samples)
        tokens = torch.full((count, samples, limit), -1)
        total = torch.zeros(count, samples, dtype=hidden.dtype)
        stopped = torch.zeros(count, samples, dtype=torch.bool)
        # `rows` and `columns` say which (prompt, sample) a live beam is; rows may hold spent ones as filling.
        rows, columns = torch.arange(count), torch.arange(samples).expand(count, samples)
        states, suffix = hidden[:, None].expand(-1, samples, -1), None
        for length in range(limit):
            place = (rows[:, None], columns)
            known = None if seen is None else seen[place]
            step = (*place, torch.tensor(length))
            token, logprob = self._choose(self.model.logits(states), uniform[step], known)
            fresh = ~stopped[place]
            total[place] += torch.where(fresh, logprob, 0.0)
            ended = torch.isin(token, self.stops)
            tokens[step] = torch.where(fresh & ~ended, token, -1)
            stopped[place] |= ended
            last = length + 1 == limit
            for at, beam in (fresh & (ended | last)).nonzero().tolist():
                row, column = int(rows[at]), int(columns[at, beam])
                yield row, column, _sampled(tokens[row, column], total[row, column], stopped[row, column])
            if seen is not None:
                seen[(*place, token)] = True
            live = ~stopped[place]
            keep = live.any(dim=1).nonzero().flatten()
            if not len(keep) or last:
                break
            # The live beams of each row move to the front, and the rows are cut to the longest such front.
            front = live[keep].long().argsort(dim=1, descending=True, stable=True)
            front = front[:, : int(live[keep].sum(dim=1).max())]
            if len(keep) < len(rows):
                prefix = prefix.select(keep)
            rows, columns, token = rows[keep], columns[keep].gather(1, front), token[keep].gather(1, front)
            suffix = None if suffix is None else suffix.select(keep, front)
            states, suffix = self.model.step(token, prefix, suffix)

    def _choose(self, logits: Tensor, uniform: Tensor, seen: Tensor | None) -> tuple[Tensor, Tensor]:
        """Tokens as the settings have it, and their log-probabilities without; both (prompts, samples).

        Any of the stops gives the log-probability of stopping.
        """
        logprob = torch.log_softmax(logits, dim=-1)
        logits[..., list(self.ends.never)] = -torch.inf
        token = choose(logits, uniform, self.how, seen)
        stop = torch.logsumexp(logprob[..., list(self.ends.stops)], dim=-1)
        chosen = logprob.gather(-1, token[..., None]).squeeze(-1)
        return token, torch.where(torch.isin(token, self.stops), stop, chosen)

    def _seen(self, prompts: Sequence[Sequence[int]], samples: int) -> Tensor | None:
        """(prompts, samples, vocabulary): which tokens each prompt holds; None where nothing asks for it."""
        if self.how.repetition_penalty == 1.0:
            return None
        seen = torch.zeros(len(prompts), self.model.vocabulary, dtype=torch.bool)
        for row, prompt in enumerate(prompts):
            seen[row, list(prompt)] = True
        return seen[:, None].repeat(1, samples, 1)


def _sampled(tokens: Tensor, total: Tensor, stopped: Tensor) -> Decoded:
    kept = tuple(token for token in tokens.tolist() if token >= 0)
    return Decoded(kept, round(total.item(), DIGITS), bool(stopped))


def _uniforms(keys: Sequence[str], count: int) -> Tensor:
    """(keys, count) numbers in [0, 1), each row from its key alone."""
    return torch.tensor([list(islice(stream(key), count)) for key in keys], dtype=torch.float64)


def _passes(
    model: Llama, prompts: Sequence[Sequence[int]], groups: Sequence[int] | None = None
) -> list[list[int]]:
    """Indices of `prompts` in passes of similar length (and equal group), each within the token limit."""
    most = _TOKENS_PER_PASS if model.device == "cpu" else _TOKENS_PER_PASS_ON_A_GPU
    of = groups or [0] * len(prompts)
    order = sorted(range(len(prompts)), key=lambda i: (of[i], len(prompts[i])))
    passes: list[list[int]] = []
    for index in order:
        rows = passes[-1] if passes else []
        # Ascending lengths: the newcomer is the longest, so it sets the padded width.
        if not rows or of[rows[0]] != of[index] or (len(rows) + 1) * len(prompts[index]) > most:
            passes.append([index])
        else:
            rows.append(index)
    return passes
