"""Several servers behind one door: bounds, balance, order, retries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from harness.errors import BadReply, ServiceDown, ServiceTimeout, UserError
from harness.serving.fleet import Fleet, Patience
from harness.serving.http import HttpFault, JsonServer
from tests.serving.double import Double, Reply, Respond, running

QUICK = Patience(wait_s=0.4, tries=2, back_off_s=0.02)


def echo(path: str, body: Any) -> Reply:
    return Reply({"got": body})


def fleet(doubles: list[Double], connections: int = 4, deadline_s: float = 5.0) -> Fleet:
    servers = [JsonServer(double.url, connections, deadline_s, "NO_KEY") for double in doubles]
    return Fleet(servers, QUICK)


def with_servers(
    work: Callable[[Fleet, list[Double]], Coroutine[Any, Any, Any]], *responds: Respond, **how: Any
) -> Any:
    async def run() -> Any:
        async with running(*responds) as doubles:
            made = fleet(doubles, **how)
            try:
                return await work(made, doubles)
            finally:
                await made.close()

    return asyncio.run(run())


def in_turn(*replies: Reply) -> Respond:
    """Each reply once, the last one for ever."""
    left = list(replies)
    return lambda path, body: left.pop(0) if len(left) > 1 else left[0]


def test_requests_are_bounded_and_balanced() -> None:
    async def work(made: Fleet, doubles: list[Double]) -> None:
        await asyncio.gather(*(made.post("/x", {"n": n}) for n in range(20)))
        assert [double.most for double in doubles] == [3, 3]
        assert all(len(double.asked) >= 6 for double in doubles)

    slow: Respond = lambda path, body: Reply({}, delay_s=0.01)  # noqa: E731
    with_servers(work, slow, slow, connections=3)


def test_what_waits_goes_in_the_order_of_its_text() -> None:
    async def work(made: Fleet, doubles: list[Double]) -> None:
        orders = ["m", "b", "x", "a", "n", "b"]
        await asyncio.gather(*(made.post("/x", {"order": order}, order) for order in orders))
        assert [body["order"] for _, body in doubles[0].asked] == ["m", "n", "x", "a", "b", "b"]

    with_servers(work, lambda path, body: Reply({}, delay_s=0.005), connections=1)


@pytest.mark.parametrize(
    "reply",
    [Reply(drop=True), Reply(status=429), Reply(status=503), Reply(status=500), Reply(b"{broken")],
    ids=["lost connection", "429", "503", "500", "broken JSON"],
)
def test_a_fault_that_passes_costs_a_retry(reply: Reply) -> None:
    async def work(made: Fleet, doubles: list[Double]) -> None:
        assert await made.post("/x", {"n": 1}) == {"got": 1}
        assert made.requests == 2

    with_servers(work, in_turn(reply, Reply({"got": 1})))


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(drop=True), ServiceDown),
        (Reply(status=429), HttpFault),
        (Reply(status=500), HttpFault),
        (Reply(b"<html>"), BadReply),
        (Reply({}, delay_s=1.0), ServiceTimeout),
    ],
    ids=["lost connections", "no room", "server error", "no JSON", "no answer"],
)
def test_a_fault_that_stays_is_told_in_the_end(reply: Reply, error: type[Exception]) -> None:
    async def work(made: Fleet, doubles: list[Double]) -> None:
        with pytest.raises(error):
            await made.post("/x", {})
        assert made.requests >= 2

    with_servers(work, in_turn(reply), deadline_s=0.1)


def test_a_refused_request_is_not_sent_again() -> None:
    async def work(made: Fleet, doubles: list[Double]) -> None:
        with pytest.raises(HttpFault) as caught:
            await made.post("/x", {})
        assert (caught.value.permanent, made.requests) == (True, 1)

    with_servers(work, lambda path, body: Reply({"error": "no"}, status=400))


def test_a_pause_that_the_server_asks_for_is_kept() -> None:
    patience = Patience(back_off_s=0.5)
    assert patience.pause_s(1) == 0.5
    assert patience.pause_s(3) == 2.0
    assert patience.pause_s(1, asked_for_s=7.0) == 7.0
    assert patience.pause_s(30) == 20.0


def test_the_servers_that_are_left_take_over() -> None:
    async def work(made: Fleet, doubles: list[Double]) -> None:
        await made.post("/x", {})
        await doubles[0].stop()
        answers = await asyncio.gather(*(made.post("/x", n) for n in range(12)))
        assert answers == [{"got": n} for n in range(12)]
        await doubles[0].start()

    with_servers(work, echo, echo)


def test_a_server_that_comes_back_is_waited_for() -> None:
    async def work(made: Fleet, doubles: list[Double]) -> None:
        await doubles[0].stop()
        asked = asyncio.ensure_future(made.post("/x", 1))
        await asyncio.sleep(0.05)
        await doubles[0].start()
        assert await asked == {"got": 1}

    with_servers(work, echo)


def test_a_cancelled_request_gives_its_place_back() -> None:
    async def work(made: Fleet, doubles: list[Double]) -> None:
        tasks = [asyncio.ensure_future(made.post("/x", n)) for n in range(6)]
        while not doubles[0].asked:
            await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(item, asyncio.CancelledError) for item in done] == [True, False] * 3
        assert await made.post("/x", 9) == {"got": 9}

    with_servers(work, lambda path, body: Reply({"got": body}, delay_s=0.02), connections=1)


def test_connections_end_with_close_and_begin_anew_in_another_loop() -> None:
    made: list[Fleet] = []

    async def once() -> object:
        async with running(echo) as doubles:
            if not made:
                made.append(fleet(doubles))
            made[0].servers[0].url = doubles[0].url
            answer = await made[0].post("/x", 1)
            await made[0].close()
            return answer

    assert [asyncio.run(once()), asyncio.run(once())] == [{"got": 1}, {"got": 1}]


def test_what_is_no_url_is_told() -> None:
    with pytest.raises(UserError, match=r"policy\.urls: 'localhost:8000' is no URL"):
        JsonServer("localhost:8000", 1, 1.0, "NO_KEY", setting="policy.urls")
