"""The engine over OpenAI-compatible servers: what it asks, what it takes, and what it calls a fault."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from harness.errors import BadReply, InfraError, ServiceDown, SpecError, UserError
from harness.policies.engine import Ask, Decoding, EngineAnswer
from harness.policies.openai import Dialect, ServedModel, ServedName
from harness.prompts.prompt import Message, Prompt
from harness.serving.fleet import Fleet, Patience
from harness.serving.http import JsonServer
from tests.serving.double import Double, Reply, Respond, completions, models, running

TEXT = Prompt(text="theorem p", stop=("\n",))
CHAT = Prompt((Message("system", "Lean"), Message("user", "prove p")))
QUICK = Patience(wait_s=0.2, tries=2, back_off_s=0.01)
TINY = ServedName("tiny")


def engine(doubles: list[Double], name: ServedName) -> ServedModel:
    return ServedModel(Fleet([JsonServer(d.url, 8, 5.0, "NO_KEY") for d in doubles], QUICK), name)


def ask(
    respond: Respond, asks: list[Ask], how: Decoding, name: ServedName = TINY
) -> tuple[list[EngineAnswer], list[tuple[str, Any]]]:
    async def run() -> tuple[list[EngineAnswer], list[tuple[str, Any]]]:
        async with running(respond) as doubles:
            made = engine(doubles, name)
            try:
                answers = await made.complete(asks, how)
            finally:
                await made.close()
            return answers, [item for item in doubles[0].asked if item[0] != "/v1/models"]

    return asyncio.run(run())


def serving(body: Any, length: int = 512) -> Respond:
    """A server of the model `tiny` that answers every question with `body`."""
    reply = body if isinstance(body, Reply) else Reply(body)
    return lambda path, _: models("tiny", length=length) if path == "/v1/models" else reply


def chat(text: str | None, thinking: str | None = None, tokens: int = 3) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, "reasoning": thinking}
    listed = [{"token": "x", "logprob": -0.25}] * tokens
    choice = {"message": message, "finish_reason": "stop", "logprobs": {"content": listed}}
    return {"choices": [choice], "usage": {"prompt_tokens": 4, "completion_tokens": tokens}}


def test_a_begun_answer_is_gone_on_with_where_the_server_can() -> None:
    begun = Prompt((Message("user", "prove p"), Message("assistant", "by\n")), stop=("\n",))
    _, [(path, body)] = ask(serving(chat("  simp")), [Ask(begun, 1, 0)], Decoding())
    assert path == "/v1/chat/completions" and body["messages"][-1]["role"] == "assistant"
    assert body["continue_final_message"] is True and body["add_generation_prompt"] is False
    _, [(_, plain)] = ask(serving(chat("a")), [Ask(CHAT, 1, 0)], Decoding())
    assert "continue_final_message" not in plain and "add_generation_prompt" not in plain
    with pytest.raises(SpecError, match="go on with no answer"):
        ask(serving(chat("a")), [Ask(begun, 1, 0)], Decoding(), ServedName("tiny", "openai"))


def test_every_setting_is_sent_so_that_no_server_default_counts() -> None:
    how = Decoding("sample", 40, temperature=0.8, top_p=0.95)
    [answer], [(path, body)] = ask(serving(completions(["simp", "omega"])), [Ask(TEXT, 2, 5)], how)
    assert path == "/v1/completions"
    assert body == {
        "model": "tiny",
        "prompt": "theorem p",
        "n": 2,
        "max_tokens": 40,
        "stop": ["\n"],
        "logprobs": 1,
        "temperature": 0.8,
        "top_p": 0.95,
        "top_k": -1,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "seed": 5,
    }
    assert [item.text for item in answer.completions] == ["simp", "omega"]
    assert [item.logprob for item in answer.completions] == [-2.5, -3.0]
    assert answer.prompt_tokens == 7


def test_greedy_asks_for_one_and_knows_no_seed() -> None:
    how = Decoding("greedy", 600, temperature=9.0, top_k=3)
    _, [(_, body)] = ask(serving(completions(["simp"])), [Ask(TEXT, 4, 5)], how)
    assert (body["n"], body["temperature"], body["top_k"], "seed" in body) == (1, 0.0, -1, False)
    assert body["max_tokens"] == 512, "no more than the context, which vLLM would refuse"


def test_beams_are_asked_of_vllm_alone() -> None:
    how = Decoding("beam", 8)
    _, [(_, body)] = ask(serving(completions(["a", "b"])), [Ask(TEXT, 2, 0)], how)
    assert body["use_beam_search"] and body["length_penalty"] == 0.0
    assert body["include_stop_str_in_output"], "else the terminator is no token, and its probability is lost"
    with pytest.raises(SpecError, match="no beam search"):
        ask(serving({}), [Ask(TEXT, 2, 0)], how, ServedName("tiny", "sglang"))


def test_beams_are_cut_at_stop_strings_that_the_server_ignores() -> None:
    body = completions(["simp\nexact h", "omega"])
    for choice in body["choices"]:
        choice["logprobs"]["tokens"] = [*choice["text"], "<|end|>"]
    how = Decoding("beam", 16)
    [answer], _ = ask(serving(body), [Ask(TEXT, 2, 0)], how)
    told = [(item.text, item.finish, len(item.logprobs)) for item in answer.completions]
    assert told == [("simp", "stop", 5), ("omega", "stop", 6)], "the newline is the terminator of the first"
    with pytest.raises(BadReply, match="which tokens"):
        ask(serving(completions(["simp\nexact h", "omega"])), [Ask(TEXT, 2, 0)], how)


def test_a_plain_server_gets_plain_settings() -> None:
    name = ServedName("tiny", "openai")
    _, [(_, body)] = ask(serving(completions(["a"])), [Ask(TEXT, 1, 0)], Decoding(top_p=0.9), name)
    assert not {"top_k", "min_p", "repetition_penalty"} & body.keys() and "max_tokens" in body
    _, [(_, body)] = ask(serving(chat("a")), [Ask(CHAT, 1, 0)], Decoding(limit=9), name)
    assert body["max_completion_tokens"] == 9 and "max_tokens" not in body
    with pytest.raises(SpecError, match="know no top_k"):
        ask(serving(completions(["a"])), [Ask(TEXT, 1, 0)], Decoding(top_k=5), name)


def test_a_conversation_goes_to_the_chat_endpoint() -> None:
    [answer], [(path, body)] = ask(serving(chat("```lean4\nsimp\n```")), [Ask(CHAT, 1, 1)], Decoding())
    assert path == "/v1/chat/completions"
    assert body["messages"] == [
        {"role": "system", "content": "Lean"},
        {"role": "user", "content": "prove p"},
    ]
    assert body["logprobs"] is True
    assert answer.completions[0].logprobs == (-0.25,) * 3


def test_thinking_that_a_server_set_apart_is_put_back() -> None:
    [answer], _ = ask(serving(chat("simp", "hm")), [Ask(CHAT, 1, 1)], Decoding())
    assert answer.completions[0].text == "<think>hm</think>simp"
    [answer], _ = ask(serving(chat(None, "hm")), [Ask(CHAT, 1, 1)], Decoding())
    assert answer.completions[0].text == "<think>hm"


def test_a_cut_answer_says_so() -> None:
    [answer], _ = ask(serving(completions(["simp"], finish="length")), [Ask(TEXT, 1, 1)], Decoding())
    assert answer.completions[0].finish == "length"


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 512 tokens. However, your prompt contains 513 input tokens.",
        "The input (513 tokens) is longer than the model's context length (512 tokens).",
        "The decoder prompt (length 513) is longer than the maximum model length of 512.",
    ],
)
def test_a_prompt_beyond_the_context_is_an_answer_not_a_fault(message: str) -> None:
    reply = Reply({"error": {"message": message, "code": 400}}, status=400)
    [answer], _ = ask(serving(reply), [Ask(TEXT, 1, 1)], Decoding())
    assert answer == EngineAnswer((), overflow=message)


@pytest.mark.parametrize(
    ("dialect", "spare", "refused"),
    [
        ("sglang", 1, "Requested token count exceeds the model's maximum context length of 512 tokens."),
        ("vllm", 0, "'max_tokens' is too large: 512. This model's maximum context length is 512 tokens."),
    ],
)
def test_a_limit_beyond_the_context_is_cut_where_the_server_refuses_it(
    dialect: Dialect, spare: int, refused: str
) -> None:
    """The prompt fits, so that it leaves no room for a long answer is no answer of the model."""
    taken = 500

    def respond(path: str, body: Any) -> Reply:
        if path == "/v1/models":
            return models("tiny")
        if taken + body["max_tokens"] > 512 - spare:
            return Reply({"error": {"message": refused, "code": 400}}, status=400)
        return Reply(completions(["simp"], finish="length", prompt_tokens=taken))

    [answer], asked = ask(respond, [Ask(TEXT, 1, 1)], Decoding(limit=600), ServedName("tiny", dialect))
    assert [item.text for item in answer.completions] == ["simp"] and not answer.overflow
    assert [body["max_tokens"] for _, body in asked] == [512, 1, 12 - spare]


def test_a_limit_that_is_refused_by_a_server_that_tells_no_context_is_the_users_to_lower() -> None:
    def respond(path: str, body: Any) -> Reply:
        if path == "/v1/models":
            return Reply({"data": [{"id": "tiny"}]})
        if body["max_tokens"] > 12:
            message = "This model's maximum context length is 512 tokens. However, you requested 1100 tokens."
            return Reply({"error": {"message": message, "code": 400}}, status=400)
        return Reply(completions(["simp"], finish="length"))

    with pytest.raises(UserError, match="no room for 600 tokens after a prompt"):
        ask(respond, [Ask(TEXT, 1, 1)], Decoding(limit=600))


def test_an_answer_beyond_its_limit_is_the_machines_fault() -> None:
    """A budget of tokens is exact, and a server may know the limit under another name."""
    with pytest.raises(BadReply, match="6 tokens where 5 were allowed"):
        ask(serving(completions(["exact"])), [Ask(TEXT, 1, 1)], Decoding(limit=5))


def test_a_server_of_another_commit_than_stated_is_refused_before_it_is_asked() -> None:
    """vLLM tells the folder that it serves; of a download it ends in the commit."""

    def respond(path: str, body: Any) -> Reply:
        card = {"id": "tiny", "max_model_len": 512, "root": f"/cache/snapshots/{'a' * 40}"}
        return Reply({"data": [card]}) if path == "/v1/models" else Reply(completions(["simp"]))

    right = ServedName("tiny", revision="a" * 40)
    assert ask(respond, [Ask(TEXT, 1, 0)], Decoding("greedy", 5), right)[0][0].completions
    with pytest.raises(UserError, match=r"policy\.revision: b{40} is stated and a{40} is served"):
        ask(respond, [Ask(TEXT, 1, 0)], Decoding("greedy", 5), ServedName("tiny", revision="b" * 40))


def test_a_model_that_is_not_served_is_told_with_those_that_are() -> None:
    with pytest.raises(UserError, match=r"policy\.model: .* does not serve 'tiny'; it serves: a, b"):
        ask(lambda path, body: models("b", "a"), [Ask(TEXT, 1, 1)], Decoding())


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (401, "the key is refused; set MODEL_SERVER_API_KEY"),
        (400, "refuses the request: temperature must be non-negative"),
        (404, "no server of this kind, or no such model"),
    ],
)
def test_a_refusal_that_the_user_can_mend_is_one_line(status: int, line: str) -> None:
    reply = Reply({"error": {"message": "temperature must be non-negative"}}, status=status)
    with pytest.raises(UserError, match=line):
        ask(serving(reply), [Ask(TEXT, 1, 1)], Decoding())


def broken(**changes: Any) -> dict[str, Any]:
    body = completions(["simp"])
    body["choices"][0] |= changes
    return body


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"not json", id="no JSON"),
        pytest.param({"choices": []}, id="no choice"),
        pytest.param({"choices": [{}]}, id="an empty choice"),
        pytest.param(completions(["a", "b"]), id="too many choices"),
        pytest.param(broken(logprobs=None), id="no log-probabilities"),
        pytest.param(broken(logprobs={"token_logprobs": [-0.5]}), id="too few log-probabilities"),
        pytest.param(broken(logprobs={"token_logprobs": [-0.5] * 4 + [None]}), id="one missing"),
        pytest.param(broken(logprobs={"token_logprobs": [-0.5] * 4 + [0.7]}), id="a probability above one"),
        pytest.param(
            broken(logprobs={"token_logprobs": [-0.5] * 4 + [float("-inf")]}), id="an impossible token"
        ),
        pytest.param(broken(finish_reason="abort"), id="aborted"),
        pytest.param(broken(text=None), id="no text"),
        pytest.param([], id="another shape"),
    ],
)
def test_an_answer_that_cannot_be_counted_exactly_is_the_machines_fault(body: Any) -> None:
    with pytest.raises(BadReply):
        ask(serving(body), [Ask(TEXT, 1, 1)], Decoding())


def test_a_server_that_is_down_is_the_machines_fault() -> None:
    async def run() -> None:
        async with running(serving(completions(["a"]))) as doubles:
            made = engine(doubles, ServedName("tiny"))
            await doubles[0].stop()
            with pytest.raises(ServiceDown):
                await made.complete([Ask(TEXT, 1, 1)], Decoding())
            await doubles[0].start()
            assert len(await made.complete([Ask(TEXT, 1, 1)], Decoding())) == 1
            await made.close()

    asyncio.run(run())


def test_one_server_without_the_model_stops_a_run_though_another_has_it() -> None:
    async def run() -> None:
        async with running(serving(completions(["a"])), lambda path, body: models("other")) as doubles:
            made = engine(doubles, ServedName("tiny"))
            with pytest.raises(UserError, match="it serves: other"):
                await made.complete([Ask(TEXT, 1, 1)], Decoding())
            await made.close()

    asyncio.run(run())


def test_what_goes_wrong_is_never_an_answer() -> None:
    with pytest.raises(InfraError):
        ask(serving(Reply(status=500)), [Ask(TEXT, 1, 1), Ask(CHAT, 1, 1)], Decoding())
