"""The Kimina client against scripted servers: batches, matching by id, and every fault a server can have."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from harness.errors import UserError
from harness.lean.services import kimina
from harness.lean.services.kimina import KiminaVerifier, Retries
from harness.lean.services.kimina_client import KiminaServer, Reach
from harness.protocols import Candidate
from harness.types import Level, Problem, Status, Verdict
from tests.lean.services.fake_kimina import Body, FakeKimina, Script, codes, http, results

PROBLEM = Problem("p", "toy", "test", "import Mathlib\nopen Nat\n\n", "theorem p (n : Nat) : n = n", "p")
P, R, T, I = Status.PROVED, Status.REJECTED, Status.TIMEOUT, Status.INFRA  # noqa: E741


def verifier(
    urls: list[str], timeout_s: float = 30.0, connections: int = 4, attempts: int = 2
) -> KiminaVerifier:
    reach = Reach(timeout_s, max_wait_s=0.0)
    return KiminaVerifier(urls, reach, connections, Retries(attempts, back_off_s=0.02), 1000)


def judged(
    script: Script, proofs: list[str], use: Callable[[FakeKimina], None] | None = None, attempts: int = 2
) -> list[Verdict]:
    async def run() -> list[Verdict]:
        async with FakeKimina(script) as server:
            client = verifier([server.url], connections=1, attempts=attempts)
            try:
                found = await client.check([Candidate(PROBLEM, proof) for proof in proofs], Level.STRICT)
            finally:
                await client.close()
            if use is not None:
                use(server)
            return found

    return asyncio.run(run())


def statuses(verdicts: list[Verdict]) -> list[Status]:
    return [verdict.status for verdict in verdicts]


async def honest(server: FakeKimina, path: str, body: Body) -> bytes | None:
    return http(200, results(body))


def always(answer: bytes | None) -> Script:
    async def script(server: FakeKimina, path: str, body: Body) -> bytes | None:
        return answer

    return script


def once(answer: bytes | None) -> Script:
    """That answer to the first request, honest ones after it."""

    async def script(server: FakeKimina, path: str, body: Body) -> bytes | None:
        return answer if len(server.asked) == 1 else await honest(server, path, body)

    return script


def test_verdicts_and_batches() -> None:
    def use(server: FakeKimina) -> None:
        assert sum(server.sizes) == 5 and len(server.sizes) < 5
        assert all(code.startswith("import ") for body in server.asked for code in codes(body))

    proofs = ["by simp", "by exact BAD", "by rfl", "by simp FAULT_slow", "by omega", "by sorry"]
    verdicts = judged(honest, proofs, use)
    assert statuses(verdicts) == [P, R, P, T, P, R]
    assert {verdict.verifier for verdict in verdicts} == {"kimina"}


def test_a_header_without_imports_gets_one() -> None:
    bare = Problem("q", "toy", "test", "", "theorem q : True", "q")

    async def run() -> None:
        async with FakeKimina() as server:
            client = verifier([server.url])
            await client.check([Candidate(bare, "trivial")], Level.FAST)
            await client.close()
            assert codes(server.asked[0])[0].startswith("import ")

    asyncio.run(run())


def test_results_are_matched_by_id_whatever_their_order() -> None:
    async def shuffled(server: FakeKimina, path: str, body: Body) -> bytes | None:
        return http(200, {"results": results(body)["results"][::-1]})

    assert statuses(judged(shuffled, ["by simp", "by exact BAD", "by rfl", "by exact BAD"])) == [P, R, P, R]


def test_a_result_for_another_id_proves_nothing() -> None:
    async def stranger(server: FakeKimina, path: str, body: Body) -> bytes | None:
        answer = results(body)
        for item in answer["results"]:
            item["custom_id"] += "x"
        return http(200, answer)

    assert statuses(judged(stranger, ["by simp", "by exact BAD"])) == [I, I]


def test_another_snippets_answer_under_the_right_id_proves_nothing() -> None:
    async def swapped(server: FakeKimina, path: str, body: Body) -> bytes | None:
        listed = results(body)["results"]
        answers = [item["response"] for item in listed]
        for item, answer in zip(listed, answers[1:] + answers[:1], strict=True):
            item["response"] = answer
        return http(200, {"results": listed})

    # With two snippets the first request is swapped; asked again alone, each gets its own answer.
    verdicts = judged(swapped, ["by simp", "by exact BAD"])
    assert statuses(verdicts) == [P, R]
    assert statuses(judged(swapped, ["by simp", "by rfl"], attempts=1)) == [I, I]


@pytest.mark.parametrize(
    "answer",
    [
        http(429, {"detail": "No available REPLs"}),
        http(429, {"detail": "No available REPLs"}, headers="Retry-After: 0\r\n"),
        http(500, {"detail": "JSON decode error"}),
        http(502, b"<html>", kind="text/html"),
        http(200, b"<html>welcome to the captive portal</html>", kind="text/html"),
        http(200, b'{"results": [{"id": "0", "resp'),
        http(200, {"results": None}),
        http(200, {"results": []}),
        http(200, []),
        http(200, {"results": [{"id": None}, 3, {"id": "a", "response": None}]}),
        None,
    ],
    ids=["429", "429-after", "500", "502", "html", "truncated", "null", "none", "list", "shapes", "dropped"],
)
def test_a_whole_request_that_fails_is_split_and_retried_then_infra(answer: bytes | None) -> None:
    def use(server: FakeKimina) -> None:
        assert server.sizes[0] == 3 and set(server.sizes[1:]) == {1}
        assert len(server.sizes) == 4

    def bounded(server: FakeKimina) -> None:
        assert len(server.sizes) <= 1 + 3 * 2

    proofs = ["by simp", "by exact BAD", "by rfl"]
    verdicts = judged(once(answer), proofs, None if answer and b"200 X" in answer else use)
    assert statuses(verdicts) == [P, R, P]
    assert statuses(judged(always(answer), proofs, bounded)) == [I, I, I]


def test_one_bad_snippet_costs_only_itself() -> None:
    async def crashing(server: FakeKimina, path: str, body: Body) -> bytes | None:
        if any("FAULT_crash" in code for code in codes(body)):
            return http(500, {"detail": "JSON decode error"})
        return await honest(server, path, body)

    proofs = ["by simp", "by simp FAULT_crash", "by exact BAD", "by rfl"]
    assert statuses(judged(crashing, proofs)) == [P, I, R, P]


@pytest.mark.parametrize("error", ["No available REPLs", "Snippet execution failed: JSON decode error", ""])
def test_a_servers_error_for_one_snippet_is_retried_then_infra(error: str) -> None:
    async def failing(server: FakeKimina, path: str, body: Body) -> bytes | None:
        answer = results(body)
        for code, item in zip(codes(body), answer["results"], strict=True):
            if "FAULT_fail" in code:
                item.pop("response")
                item["error"] = error
        return http(200, answer)

    def use(server: FakeKimina) -> None:
        asked = [body for body in server.asked if any("FAULT_fail" in code for code in codes(body))]
        assert [body["disable_cache"] for body in asked] == [False, True]

    assert statuses(judged(failing, ["by simp", "by simp FAULT_fail"], use)) == [P, I]


@pytest.mark.parametrize(
    "response", [{}, {"env": True}, {"message": "Unknown environment."}, {"env": 0}, None]
)
def test_empty_and_unknown_answers_prove_nothing(response: Body | None) -> None:
    async def script(server: FakeKimina, path: str, body: Body) -> bytes | None:
        return http(200, {"results": [item | {"response": response} for item in results(body)["results"]]})

    assert statuses(judged(script, ["by simp", "by exact BAD"])) == [I, I]


def test_a_wrong_key_is_not_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAN_SERVER_API_KEY", "hunter2")

    def use(server: FakeKimina) -> None:
        assert len(server.asked) == 1 and server.keys == ["Bearer hunter2"]

    verdicts = judged(always(http(401, {"detail": "Invalid API key"})), ["by simp", "by rfl"], use)
    assert statuses(verdicts) == [I, I]
    assert all("hunter2" not in verdict.detail for verdict in verdicts)


def test_a_refused_key_is_told_with_its_variable_and_without_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, told in (
        ("", "LEAN_SERVER_API_KEY is not set"),
        ("k", "LEAN_SERVER_API_KEY is not taken there"),
    ):
        monkeypatch.setenv("LEAN_SERVER_API_KEY", key)
        [verdict] = judged(always(http(401, {"detail": "Missing API key"})), ["by rfl"], attempts=3)
        assert told in verdict.detail and "attempts" not in verdict.detail


def test_a_redirect_that_keeps_the_method_is_followed_and_not_for_ever() -> None:
    async def moved(server: FakeKimina, path: str, body: Body) -> bytes | None:
        if path == "/verify":
            return http(307, {}, headers="Location: /prefix/verify\r\n")
        return http(200, results(body))

    assert statuses(judged(moved, ["by rfl", "by exact BAD"])) == [P, R]
    round_and_round = always(http(308, {}, headers="Location: /verify\r\n"))
    [verdict] = judged(round_and_round, ["by rfl"], attempts=1)
    assert verdict.status is I and "HTTP 308" in verdict.detail


def test_a_key_that_the_protocol_does_not_know_is_named() -> None:
    async def newer(server: FakeKimina, path: str, body: Body) -> bytes | None:
        answer = results(body)
        for result in answer["results"]:
            result["surprise"] = 1
        return http(200, answer)

    [verdict] = judged(newer, ["by rfl"])
    assert verdict.status is I and "sent no usable result" in verdict.detail and "surprise" in verdict.detail


def test_a_server_without_the_first_endpoint_is_asked_by_the_other() -> None:
    async def other(server: FakeKimina, path: str, body: Body) -> bytes | None:
        return (
            await honest(server, path, body) if path == "/api/check" else http(404, {"detail": "Not Found"})
        )

    def use(server: FakeKimina) -> None:
        assert server.paths == ["/verify", "/api/check"]
        assert set(server.asked[1]) == {"snippets", "timeout", "reuse"}

    assert statuses(judged(other, ["by simp", "by exact BAD", "by simp FAULT_slow"], use)) == [P, R, T]


def test_a_hanging_server_is_left_at_the_deadline() -> None:
    async def hanging(server: FakeKimina, path: str, body: Body) -> bytes | None:
        await asyncio.sleep(60)
        return None

    async def run() -> list[Verdict]:
        async with FakeKimina(hanging) as server:
            reach = Reach(1.0, max_wait_s=-6.5)
            client = KiminaVerifier([server.url], reach, 2, Retries(2, 0.01), 1000)
            try:
                return await client.check([Candidate(PROBLEM, "by simp")], Level.FAST)
            finally:
                await client.close()

    (verdict,) = asyncio.run(run())
    assert verdict.status is Status.INFRA and "no answer in 0.5 s" in verdict.detail


def test_a_slow_server_is_waited_for() -> None:
    async def slow(server: FakeKimina, path: str, body: Body) -> bytes | None:
        await asyncio.sleep(0.3)
        return await honest(server, path, body)

    assert statuses(judged(slow, ["by simp", "by exact BAD"])) == [P, R]


def test_the_deadline_counts_the_wait_the_header_and_the_body() -> None:
    assert Reach(60.0).deadline_s == 60 + 2 * 60 + 5
    assert Reach(0.2, max_wait_s=1.0).deadline_s == 1 + 2 * 1 + 5


def test_a_server_killed_in_a_batch_leaves_the_work_to_the_other() -> None:
    async def run() -> None:
        async def dying(server: FakeKimina, path: str, body: Body) -> bytes | None:
            server._server.close()
            return None

        async with FakeKimina(dying) as first, FakeKimina() as second:
            client = verifier([first.url, second.url], attempts=3)
            proofs = ["by simp" if number % 3 else "by exact BAD" for number in range(30)]
            verdicts = await client.check([Candidate(PROBLEM, proof) for proof in proofs], Level.STRICT)
            await client.close()
            assert statuses(verdicts) == [P if number % 3 else R for number in range(30)]
            assert len(first.asked) <= 4

    asyncio.run(run())


def test_no_server_at_all_is_infra() -> None:
    async def run() -> list[Verdict]:
        client = verifier(["http://127.0.0.1:9"], attempts=3)
        try:
            return await client.check([Candidate(PROBLEM, "by simp")] * 10, Level.FAST)
        finally:
            await client.close()

    assert set(statuses(asyncio.run(run()))) == {Status.INFRA}


def test_work_is_shared_between_servers() -> None:
    async def run() -> None:
        async def slow(server: FakeKimina, path: str, body: Body) -> bytes | None:
            await asyncio.sleep(0.01)
            return http(200, results(body))

        async with FakeKimina(slow) as first, FakeKimina(slow) as second:
            client = verifier([first.url, second.url])
            await client.check([Candidate(PROBLEM, f"by simp -- {n}") for n in range(80)], Level.FAST)
            await client.close()
            assert min(sum(first.sizes), sum(second.sizes)) >= 20

    asyncio.run(run())


def test_batches_shrink_when_snippets_are_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kimina, "_BATCH_S", 0.05)

    async def slow(server: FakeKimina, path: str, body: Body) -> bytes | None:
        await asyncio.sleep(0.02 * len(codes(body)))
        return http(200, results(body))

    async def run() -> list[int]:
        async with FakeKimina(slow) as server:
            client = verifier([server.url], connections=2)
            await client.check([Candidate(PROBLEM, f"by simp -- {n}") for n in range(4)], Level.FAST)
            await client.check([Candidate(PROBLEM, f"by omega -- {n}") for n in range(8)], Level.FAST)
            await client.close()
            return server.sizes

    sizes = asyncio.run(run())
    assert max(sizes[-4:]) <= 2


def test_a_url_that_is_none_is_the_users_mistake() -> None:
    with pytest.raises(UserError, match=r"lean\.urls"):
        KiminaServer("localhost:8000", Reach(), 1)


def test_closing_ends_what_is_under_way() -> None:
    async def run() -> None:
        async def hanging(server: FakeKimina, path: str, body: Body) -> bytes | None:
            await asyncio.sleep(60)
            return None

        async with FakeKimina(hanging) as server:
            client = verifier([server.url])
            asked = asyncio.create_task(client.check([Candidate(PROBLEM, "by simp")], Level.FAST))
            while not server.asked:
                await asyncio.sleep(0.01)
            await client.close()
            assert statuses(await asyncio.wait_for(asked, 30)) == [I]

    asyncio.run(run())


def test_request_bodies_are_plain_json() -> None:
    def use(server: FakeKimina) -> None:
        (body,) = server.asked
        assert (
            json.dumps(body) and set(body) == {"codes", "timeout", "disable_cache"} and body["timeout"] == 30
        )

    judged(honest, ["by simp"], use)
