"""Any Hugging Face language model in this process: an `Engine` over transformers' `generate`.

Causal models continue the prompt; of models with an encoder (ReProver's ByT5) the prompt is the input.

`generate` picks the largest score; a logits processor of ours chooses the token as `choosing` has it and
leaves it as the only one. So every sample has its own random stream, the settings mean what they mean for the
small float64 model, and log-probabilities are taken from the untouched logits. In bfloat16 the last bits of a
logit depend on what else is in the batch, so a rerun repeats texts only where no two tokens are close.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    GenerationConfig,
    LogitsProcessor,
    StoppingCriteria,
)

from harness.errors import UserError
from harness.policies.choosing import choose, stream
from harness.policies.engine import Ask, Completion, Decoding, EngineAnswer
from harness.prompts.prompt import Prompt
from harness.serving import bars
from harness.serving.threads import results_of

Tell = Callable[[tuple[int, EngineAnswer]], None]
Over = Callable[[int, tuple[Completion, ...]], None]
_ROWS_TOKENS = {"cpu": 16_384, "cuda": 262_144}
"""Tokens of prompts and answers together in one pass; more gains little and costs memory."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where and how a model runs."""

    device: str = "cpu"
    dtype: str = "float32"
    threads: int = 2


class LanguageModel:
    """An `Engine`. Computes in a worker thread, one call at a time."""

    def __init__(self, name: str, revision: str | None = None, *, placement: Placement) -> None:
        """`name`: a folder, or a model on the hub at `revision`. Raises `UserError` for an unusable one."""
        torch.set_num_threads(placement.threads)
        bars.only_on_a_terminal()
        where = {} if Path(name).is_dir() else {"revision": revision}
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(name, **where)
            self._encodes = bool(AutoConfig.from_pretrained(name, **where).is_encoder_decoder)
            kind = AutoModelForSeq2SeqLM if self._encodes else AutoModelForCausalLM
            self._model = kind.from_pretrained(name, dtype=getattr(torch, placement.dtype), **where)
        except (OSError, ValueError) as cause:
            reason = str(cause).strip().split("\n", 1)[0]
            raise UserError(f"policy.model: {name!r} cannot be loaded: {reason}") from cause
        self._model = self._model.to(placement.device).eval()
        self._device = torch.device(placement.device)
        positions = getattr(self._model.config, "max_position_embeddings", None)
        self._context: int = positions or self._tokenizer.model_max_length
        self._ends = _ends(self._model.generation_config, self._tokenizer)
        self._pad = (
            self._tokenizer.pad_token_id if self._tokenizer.pad_token_id is not None else self._ends[0]
        )
        # The model's own defaults (temperature, top-p ...) would be mixed into every call.
        self._start = self._model.generation_config.decoder_start_token_id
        self._model.generation_config = GenerationConfig(eos_token_id=self._ends, pad_token_id=self._pad)

    async def complete(self, asks: Sequence[Ask], decoding: Decoding) -> list[EngineAnswer]:
        """One answer for each question, in order."""
        found = {place: answer async for place, answer in self.answers(asks, decoding)}
        return [found[place] for place in range(len(asks))]

    def answers(self, asks: Sequence[Ask], decoding: Decoding) -> AsyncIterator[tuple[int, EngineAnswer]]:
        """The answers, each with its place as soon as it has ended."""
        return results_of(partial(self._complete, asks, decoding))

    def _complete(self, asks: Sequence[Ask], decoding: Decoding, tell: Tell) -> None:
        ids = [self._encode(ask.prompt) for ask in asks]
        for place, row in enumerate(ids):
            if len(row) >= self._context:
                told = f"{len(row)} tokens of prompt, and the context is {self._context}"
                tell((place, EngineAnswer((), len(row), told)))
        fitting = [place for place, row in enumerate(ids) if len(row) < self._context]
        for places in self._passes(fitting, ids, asks, decoding):

            def over(at: int, completions: tuple[Completion, ...], places: list[int] = places) -> None:
                tell((places[at], EngineAnswer(completions, len(ids[places[at]]))))

            self._pass([asks[place] for place in places], [ids[place] for place in places], decoding, over)

    def _encode(self, prompt: Prompt) -> list[int]:
        if not prompt.messages:
            return list(self._tokenizer(prompt.text).input_ids)
        turns = [{"role": turn.role, "content": turn.content} for turn in prompt.messages]
        if not self._tokenizer.chat_template:
            raise UserError(
                f"prompt: this family needs a chat template and {self._tokenizer.name_or_path} has none; "
                "choose a family of plain text"
            )
        if prompt.begun:
            return self._encode_begun(turns)
        return list(self._tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=False))

    def _encode_begun(self, turns: list[dict[str, str]]) -> list[int]:
        """A conversation whose last turn, an answer, is to be gone on with."""
        text = self._tokenizer.apply_chat_template(turns, tokenize=False, continue_final_message=True)
        if not text.endswith(turns[-1]["content"]):
            raise UserError(
                f"prompt: the chat template of {self._tokenizer.name_or_path} changes the end of an answer "
                "that is gone on with; choose another family"
            )
        return list(self._tokenizer(text, add_special_tokens=False).input_ids)

    def _passes(
        self, places: list[int], ids: list[list[int]], asks: Sequence[Ask], decoding: Decoding
    ) -> Iterator[list[int]]:
        """`places` in groups that one call of `generate` can answer, of similar length."""

        def alike(place: int) -> tuple[int, tuple[str, ...], int]:
            return asks[place].count, asks[place].prompt.stop, self._room(ids[place], decoding)

        for _, found in groupby(sorted(places, key=lambda i: (alike(i), len(ids[i]), i)), alike):
            group: list[int] = []
            for place in found:
                tokens = (len(group) + 1) * asks[place].count * (len(ids[place]) + decoding.limit)
                if group and tokens > _ROWS_TOKENS[self._device.type]:
                    yield group
                    group = []
                group.append(place)
            yield group

    def _room(self, row: list[int], decoding: Decoding) -> int:
        return decoding.limit if self._encodes else min(decoding.limit, self._context - len(row))

    @torch.inference_mode()
    def _pass(self, asks: list[Ask], ids: list[list[int]], decoding: Decoding, over: Over) -> None:
        width = max(len(row) for row in ids)
        # Prompts end at the same column, so that answers begin at the same one.
        padded = torch.tensor([[self._pad] * (width - len(row)) + row for row in ids], device=self._device)
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in ids], device=self._device)
        limit = self._room(ids[0], decoding)
        stop = asks[0].prompt.stop
        if decoding.method == "beam":
            for place, beams in enumerate(self._beams(padded, mask, limit, asks[0].count, stop)):
                over(place, beams)
            return
        count = asks[0].count if decoding.is_random else 1
        padded, mask = padded.repeat_interleave(count, 0), mask.repeat_interleave(count, 0)
        keys = [f"{ask.seed}\n{number}\n{ask.prompt.key}" for ask in asks for number in range(count)]
        # What a causal model returns begins with the prompt, what a decoder returns with one start token.
        begin = 1 if self._encodes else width
        known = torch.zeros_like(mask[:, :1]) if self._encodes else mask
        chooser = _Chooser(keys, decoding, known, begin)
        done: dict[int, Completion] = {}

        def ended(row: int, tokens: list[int]) -> None:
            done[row] = self._completion(tokens, torch.stack(chooser.logprobs)[:, row].tolist(), stop)
            mates = range(row - row % count, row - row % count + count)
            if all(mate in done for mate in mates):
                over(row // count, tuple(done[mate] for mate in mates))

        made = self._model.generate(
            input_ids=padded,
            attention_mask=mask,
            generation_config=self._settings(limit),
            logits_processor=[chooser],
            stopping_criteria=[_Ended(self._tokenizer, stop, self._ends, begin, ended)],
        )[:, begin:].tolist()
        for row, tokens in enumerate(made):
            if row not in done:  # cut at the limit
                ended(row, tokens)

    def _settings(self, limit: int, **more: Any) -> GenerationConfig:
        return GenerationConfig(
            max_new_tokens=limit,
            do_sample=False,
            eos_token_id=self._ends,
            pad_token_id=self._pad,
            decoder_start_token_id=self._start,
            **more,
        )

    def _beams(
        self, padded: Tensor, mask: Tensor, limit: int, width: int, stop: tuple[str, ...]
    ) -> list[tuple[Completion, ...]]:
        """The likeliest sequences, by their sum; a stop string cuts the text only."""
        made = self._model.generate(
            input_ids=padded,
            attention_mask=mask,
            generation_config=self._settings(
                limit,
                num_beams=width,
                num_return_sequences=width,
                length_penalty=0.0,
                output_scores=True,
                return_dict_in_generate=True,
            ),
        )
        logprobs = self._model.compute_transition_scores(made.sequences, made.scores, made.beam_indices)
        tokens = made.sequences[:, 1 if self._encodes else padded.shape[1] :].tolist()
        done = [self._completion(*row, stop) for row in zip(tokens, logprobs.tolist(), strict=True)]
        return [tuple(done[first : first + width]) for first in range(0, len(done), width)]

    def _completion(self, tokens: list[int], logprobs: list[float], stop: tuple[str, ...]) -> Completion:
        """Cut one row at its terminator or first stop string, whichever comes first."""
        end = next((place for place, token in enumerate(tokens) if token in self._ends), None)
        kept = tokens if end is None else tokens[:end]
        # An unfinished character at the end is not written, as servers have it.
        text = self._tokenizer.decode(kept, skip_special_tokens=True).rstrip("\ufffd")
        counted = len(tokens) if end is None else end + 1
        stopped = end is not None
        cuts = [place for place in (text.find(mark) for mark in stop) if place >= 0]
        if cuts:
            text, stopped = text[: min(cuts)], True
            counted = self._tokens_until(kept, stop)
        return Completion(text, tuple(logprobs[:counted]), "stop" if stopped else "length")

    def _tokens_until(self, tokens: list[int], stop: tuple[str, ...]) -> int:
        """How many of `tokens` it takes until a stop string is complete."""
        for count in range(1, len(tokens) + 1):
            text = self._tokenizer.decode(tokens[:count], skip_special_tokens=True)
            if any(mark in text for mark in stop):
                return count
        return len(tokens)


class _Chooser(LogitsProcessor):
    """Chooses every row's next token, notes its log-probability, and leaves it as the only one possible."""

    def __init__(self, keys: list[str], decoding: Decoding, mask: Tensor, width: int) -> None:
        self._streams = [stream(key) for key in keys] if decoding.is_random else []
        self._decoding = decoding
        self._mask = mask.bool()
        self._width = width
        self.logprobs: list[Tensor] = []
        """One (rows,) tensor a step."""

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """`input_ids` (rows, length so far), `scores` (rows, vocabulary): the raw logits."""
        logits = scores.float()
        uniform = torch.tensor(
            [next(numbers) for numbers in self._streams] or [0.0], dtype=torch.float64, device=scores.device
        )
        token = choose(logits, uniform, self._decoding, self._seen(input_ids, logits))[:, None]
        self.logprobs.append(torch.log_softmax(logits, dim=-1).gather(1, token).squeeze(1))
        return torch.full_like(scores, -math.inf).scatter(1, token, 0.0)

    def _seen(self, input_ids: Tensor, logits: Tensor) -> Tensor | None:
        if self._decoding.repetition_penalty == 1.0:
            return None
        present = torch.ones_like(input_ids, dtype=torch.bool)
        present[:, : self._width] = self._mask
        # Padding is no token of the prompt: it is counted into a column of its own.
        size = logits.shape[1]
        marked = torch.zeros(len(logits), size + 1, dtype=torch.bool, device=logits.device)
        return marked.scatter(1, input_ids.masked_fill(~present, size), True)[:, :size]


class _Ended(StoppingCriteria):
    """Ends a row whose latest tokens complete a stop string; tells of each row when it has ended, and how."""

    def __init__(
        self,
        tokenizer: Any,
        stop: tuple[str, ...],
        ends: list[int],
        begin: int,
        tell: Callable[[int, list[int]], None],
    ) -> None:
        self._tokenizer, self._stop, self._ends, self._begin, self._tell = tokenizer, stop, ends, begin, tell
        # No token is shorter than a byte, so this many hold the longest stop string; some write nothing.
        self._window = max((len(mark.encode()) for mark in stop), default=0) + 8
        self._told: set[int] = set()

    def __call__(self, input_ids: Tensor, scores: Tensor, **kwargs: Any) -> Tensor:
        """(rows,) whether each row is done."""
        done = torch.isin(input_ids[:, -1], torch.tensor(self._ends, device=input_ids.device))
        if self._stop:
            done |= self._stopped(input_ids)
        for row in done.nonzero().flatten().tolist():
            if row not in self._told:
                self._told.add(row)
                self._tell(row, input_ids[row, self._begin :].tolist())
        return done

    def _stopped(self, input_ids: Tensor) -> Tensor:
        tail = input_ids[:, max(self._begin, input_ids.shape[1] - self._window) :]
        texts = self._tokenizer.batch_decode(tail, skip_special_tokens=True)
        found = [any(mark in text for mark in self._stop) for text in texts]
        return torch.tensor(found, device=input_ids.device)


def _ends(generation: Any, tokenizer: Any) -> list[int]:
    """Tokens that end an answer: those that the model names, and its tokenizer's. UserError without any."""
    named = generation.eos_token_id
    ends = list(named) if isinstance(named, list) else [named]
    found = [token for token in dict.fromkeys([*ends, tokenizer.eos_token_id]) if token is not None]
    if not found:
        raise UserError(f"policy.model: {tokenizer.name_or_path} names no token that ends an answer")
    return found
