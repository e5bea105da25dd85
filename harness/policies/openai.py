"""A language model behind OpenAI-compatible servers: an `Engine` over `/v1/completions` and its chat sister.

Every setting is sent, neutral ones too: vLLM and SGLang take what a request leaves out from the model's
`generation_config.json`, so the same experiment would mean different things on different servers. vLLM
reports log-probabilities before temperature and penalties, which is what `Completion` asks for; those of
SGLang are of the sampling temperature, unless its server is set to return the original ones.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from harness.errors import BadReply, InfraError, SpecError, UserError
from harness.policies.engine import Ask, Completion, Decoding, EngineAnswer, Finish
from harness.prompts.prompt import Prompt
from harness.serving.fleet import Fleet
from harness.serving.http import HttpFault, JsonServer
from harness.serving.models import TOO_LONG, card_of, reason_of, refusal
from harness.serving.weights import check_served

Dialect = Literal["vllm", "sglang", "openai"]
_LIMITS = ("max_tokens", "max_completion_tokens")
_FINISHES: dict[str, Finish] = {"stop": "stop", "length": "length", "eos": "stop"}


@dataclass(frozen=True, slots=True)
class ServedName:
    """Which model to ask for, and how its servers are spoken to."""

    model: str
    dialect: Dialect = "vllm"
    revision: str | None = None
    """Which weights it is said to be; held against what the servers say."""
    setting: str = "policy"
    """Section of the experiment file that names it."""


class ServedModel:
    """An `Engine`. One question is one request; what is asked at once is merged by the servers."""

    def __init__(self, fleet: Fleet, name: ServedName) -> None:
        self._fleet, self._name = fleet, name
        self._checked = asyncio.Lock()
        self._context: int | None = None
        self._known = False

    async def complete(self, asks: Sequence[Ask], decoding: Decoding) -> list[EngineAnswer]:
        """One answer for each question, in order; a prompt beyond the context has none, and says so.

        Raises `UserError` for a model that is not served and for settings that a server refuses, `InfraError`
        for whatever else keeps an answer away.
        """
        await self._look()
        return list(await asyncio.gather(*(self._complete(ask, decoding) for ask in asks)))

    async def close(self) -> None:
        """Close the connections; the next question may come from another event loop."""
        await self._fleet.close()
        self._checked = asyncio.Lock()

    async def check(self) -> None:
        """Raise `UserError` when a server lacks the model, `InfraError` when none can be asked."""
        faults = await self._look()
        if faults and not self._known:
            raise faults[0]

    async def _look(self) -> list[InfraError]:
        """Once: every server that is up serves the model, and how long its context is."""
        async with self._checked:
            if self._known:
                return []
            found = await asyncio.gather(
                *(self._context_at(server) for server in self._fleet.servers), return_exceptions=True
            )
            for item in found:
                if isinstance(item, BaseException) and not isinstance(item, InfraError):
                    raise item
            lengths = [item for item in found if isinstance(item, int)]
            self._context = min(lengths, default=None)
            # A server that is down now may come up later; without any, the first request says what is wrong.
            self._known = any(not isinstance(item, BaseException) for item in found)
            return [item for item in found if isinstance(item, InfraError)]

    async def _context_at(self, server: JsonServer) -> int | None:
        """Context length of the model at one server; None where it does not say. UserError without it, and
        where it serves other weights than stated."""
        card = await card_of(server, self._name.model, f"{self._name.setting}.model")
        check_served(card, self._name.revision, self._name.setting)
        length = card.get("max_model_len")
        return length if isinstance(length, int) else None

    async def _complete(self, ask: Ask, decoding: Decoding) -> EngineAnswer:
        chat = bool(ask.prompt.messages)
        count = 1 if decoding.method == "greedy" else ask.count
        body = self._request(ask.prompt, count, ask.seed, decoding)
        path = "/v1/chat/completions" if chat else "/v1/completions"
        try:
            answer = await self._answered(path, body, ask.prompt.key)
        except HttpFault as fault:
            if _is_too_long(fault):
                return EngineAnswer((), overflow=reason_of(fault))
            if fault.permanent:
                raise refusal(path, fault) from fault
            raise
        beams = decoding.method == "beam"
        found = read_answer(answer, count, chat, beams_cut_at=ask.prompt.stop if beams else None)
        longest = max((len(item.logprobs) for item in found.completions), default=0)
        if longest > decoding.limit:
            raise BadReply(f"the model server wrote {longest} tokens where {decoding.limit} were allowed")
        return found

    async def _answered(self, path: str, body: dict[str, Any], key: str) -> object:
        """The reply. Raises `HttpFault`; that the text is too long only where it leaves no room at all.

        SGLang and older vLLM refuse a limit that would go beyond the context, which others cut. How much room
        there is, is asked with a limit of one token.
        """
        try:
            return await self._fleet.post(path, body, key)
        except HttpFault as fault:
            named = next(name for name in _LIMITS if name in body)
            if not _is_too_long(fault) or body[named] == 1:
                raise
            probe = await self._fleet.post(path, body | {"n": 1, named: 1}, key)
            usage = probe.get("usage") if isinstance(probe, Mapping) else None
            taken = usage.get("prompt_tokens") if isinstance(usage, Mapping) else None
            if self._context is None or not isinstance(taken, int):
                raise UserError(
                    f"{path}: no room for {body[named]} tokens after a prompt, and the server tells no "
                    "max_model_len; set a lower whole_proof.max_new_tokens or decode.max_tactic_tokens"
                ) from fault
            # SGLang leaves one place of its context empty.
            room = self._context - taken - (self._name.dialect == "sglang")
            return await self._fleet.post(path, body | {named: max(1, min(room, body[named] - 1))}, key)

    def _request(self, prompt: Prompt, count: int, seed: int, how: Decoding) -> dict[str, Any]:
        limit = how.limit if self._context is None else min(how.limit, self._context)
        # OpenAI's own chat endpoint has given the limit another name.
        plain_chat = prompt.messages and self._name.dialect == "openai"
        named = "max_completion_tokens" if plain_chat else "max_tokens"
        body: dict[str, Any] = {"model": self._name.model, "n": count, named: limit}
        if prompt.messages:
            body["messages"] = [{"role": turn.role, "content": turn.content} for turn in prompt.messages]
            body["logprobs"] = True
            if prompt.begun:
                body |= self._going_on()
        else:
            body["prompt"] = prompt.text
            body["logprobs"] = 1
        if prompt.stop:
            body["stop"] = list(prompt.stop)
        return body | self._sampling(how, seed)

    def _going_on(self) -> dict[str, Any]:
        """That the last message is an answer to go on with."""
        if self._name.dialect == "openai":
            raise SpecError("prompt: servers of dialect openai go on with no answer; choose another family")
        vllm = {"add_generation_prompt": False} if self._name.dialect == "vllm" else {}
        return {"continue_final_message": True, **vllm}

    def _sampling(self, how: Decoding, seed: int) -> dict[str, Any]:
        if how.method == "beam":
            if self._name.dialect != "vllm":
                raise SpecError(
                    f"decode.method: servers of dialect {self._name.dialect} have no beam search; set sample"
                )
            # Without the last setting a beam's terminator is missing from its tokens and its log-probability.
            return {
                "use_beam_search": True,
                "temperature": 0.0,
                "length_penalty": 0.0,
                "include_stop_str_in_output": True,
            }
        drawn = how.method == "sample"
        body: dict[str, Any] = {
            "temperature": how.temperature if drawn else 0.0,
            "top_p": how.top_p if drawn else 1.0,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
        }
        if drawn:
            body["seed"] = seed
        extra = {
            "top_k": how.top_k if drawn and how.top_k else -1,
            "min_p": how.min_p if drawn else 0.0,
            "repetition_penalty": how.repetition_penalty,
        }
        if self._name.dialect != "openai":
            return body | extra
        if extra != {"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}:
            raise SpecError("decode: servers of dialect openai know no top_k, min_p and repetition_penalty")
        return body


def _is_too_long(fault: HttpFault) -> bool:
    return fault.code in (400, 413, 422) and TOO_LONG.search(str(fault)) is not None


def read_answer(
    answer: object, count: int, chat: bool, beams_cut_at: tuple[str, ...] | None = None
) -> EngineAnswer:
    """The completions of one reply. Raises `BadReply` for anything that cannot be counted exactly.

    `beams_cut_at`: they are beams, and these the stop strings, to which vLLM's beam search pays no heed.
    """
    if not isinstance(answer, Mapping) or not isinstance(answer.get("choices"), list):
        raise BadReply(f"the model server's reply has no choices: {str(answer)[:120]!r}")
    choices = answer["choices"]
    if len(choices) != count:
        raise BadReply(f"the model server sent {len(choices)} of {count} completions")
    usage = answer.get("usage")
    usage = usage if isinstance(usage, Mapping) else {}
    completions = tuple(_completion(choice, chat) for choice in choices)
    told, counted = usage.get("completion_tokens"), sum(len(item.logprobs) for item in completions)
    if isinstance(told, int) and told != counted:
        raise BadReply(f"the model server sent {counted} log-probabilities for {told} tokens")
    if beams_cut_at is not None:
        pairs = zip(completions, choices, strict=True)
        completions = tuple(_cut(item, choice.get("logprobs"), chat, beams_cut_at) for item, choice in pairs)
    prompt_tokens = usage.get("prompt_tokens")
    return EngineAnswer(completions, prompt_tokens if isinstance(prompt_tokens, int) else 0)


def _completion(choice: object, chat: bool) -> Completion:
    if not isinstance(choice, Mapping):
        raise BadReply(f"the model server sent a choice that is none: {str(choice)[:120]!r}")
    finish = _FINISHES.get(str(choice.get("finish_reason")))
    if finish is None:
        raise BadReply(f"the model server ended a completion with {choice.get('finish_reason')!r}")
    text = _chat_text(choice.get("message")) if chat else choice.get("text")
    if not isinstance(text, str):
        raise BadReply("the model server sent a choice without text")
    return Completion(text, _logprobs(choice.get("logprobs"), chat), finish)


def _cut(item: Completion, told: Mapping[str, Any], chat: bool, cuts: tuple[str, ...]) -> Completion:
    """A beam up to its first stop string, with the tokens that it takes to write that; without an unfinished
    character at its end, which other completions do not have either."""
    places = [place for place in (item.text.find(mark) for mark in cuts) if place >= 0]
    if not places:
        return replace(item, text=item.text.rstrip("\ufffd"))
    names = [entry.get("token") for entry in told["content"]] if chat else told.get("tokens") or []
    written = ""
    for number, name in enumerate(names, start=1):
        written += str(name)
        if any(mark in written for mark in cuts):
            return Completion(item.text[: min(places)], item.logprobs[:number], "stop")
    raise BadReply("the model server does not say which tokens make up a completion")


def _chat_text(message: object) -> str | None:
    """The whole answer; a server that parts the thinking from it gets it put back in its marks."""
    if not isinstance(message, Mapping):
        return None
    content = message.get("content") or ""
    thinking = message.get("reasoning") or message.get("reasoning_content")
    if not isinstance(thinking, str):
        return content if isinstance(content, str) else None
    return f"<think>{thinking}</think>{content}" if content else f"<think>{thinking}"


def _logprobs(told: object, chat: bool) -> tuple[float, ...]:
    listed = told.get("content" if chat else "token_logprobs") if isinstance(told, Mapping) else None
    if not isinstance(listed, list):
        raise BadReply("the model server sends no log-probabilities; search and records need them")
    values = [item.get("logprob") if isinstance(item, Mapping) else item for item in listed]
    found = [
        float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    if len(found) != len(values) or any(not math.isfinite(value) or value > 1e-6 for value in found):
        raise BadReply("the model server sent log-probabilities that are none")
    return tuple(found)
