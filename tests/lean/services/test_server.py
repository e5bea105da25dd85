"""The Lean server: the API over real sockets, its refusals, and what it does better than the original."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.lean.services.kimina import KiminaVerifier, Retries
from harness.lean.services.kimina_client import Reach
from harness.lean.services.pool import ReplPool
from harness.lean.services.repl import Program
from harness.lean.services.server import LeanServer
from harness.lean.services.worker import PoolSettings
from harness.protocols import Candidate
from harness.serving.web import listening
from harness.types import Level, Problem, Status

FAKE = str(Path(__file__).with_name("fake_repl.py"))
PROBLEM = Problem("p", "toy", "test", "import Mathlib\nopen Nat\n\n", "theorem p (n : Nat) : n = n", "p")


def served(
    use: Callable[[httpx.AsyncClient], Awaitable[None]],
    *options: str,
    key: str | None = None,
    workers: int = 2,
) -> None:
    async def run() -> None:
        program = Program((sys.executable, FAKE, *options), None, 512)
        pool = ReplPool(program, PoolSettings(workers, 60.0, 60.0))
        try:
            async with (
                listening(LeanServer(pool, key).application(), "127.0.0.1", 0) as url,
                httpx.AsyncClient(base_url=url, timeout=120, trust_env=False) as client,
            ):
                await use(client)
        finally:
            await pool.close()

    asyncio.run(run())


def snippets(*codes: str) -> list[dict[str, str]]:
    return [{"id": f"s{number}", "code": code} for number, code in enumerate(codes)]


async def check(client: httpx.AsyncClient, *codes: str, **more: Any) -> list[dict[str, Any]]:
    answer = await client.post("/api/check", json={"snippets": snippets(*codes)} | more)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["results"])


def test_health_needs_no_key_and_checks_do() -> None:
    async def use(client: httpx.AsyncClient) -> None:
        for path in ("/", "/health", "/health/"):
            assert (await client.get(path)).json() == {"status": "ok"}
        body = {"snippets": snippets("import A\ndef a := 1")}
        for header, code in [
            ({}, 401),
            ({"Authorization": "Bearer x"}, 401),
            ({"Authorization": "Bearer k"}, 200),
        ]:
            assert (await client.post("/api/check", json=body, headers=header)).status_code == code
        assert (await client.post("/api/check", json=body, headers={"Authorization": "k"})).status_code == 200

    served(use, key="k")


def test_results_have_whole_file_positions_and_stay_apart(hangs_end_soon: None) -> None:
    async def use(client: httpx.AsyncClient) -> None:
        good, bad, hang, dead = await check(
            client, "import A\n\ndef a := 1", "import A\n\ndef b := BAD", "import A\nFAULT_hang",
            "import A\nFAULT_die", timeout=50,
        )  # fmt: skip
        assert (good["id"], bad["id"]) == ("s0", "s1")
        assert "messages" not in good["response"] and isinstance(good["response"]["env"], int)
        assert bad["response"]["messages"][0]["pos"] == {"line": 3, "column": 9}
        assert hang["error"] == "Lean REPL command timed out in 50.0 seconds" and "response" not in hang
        assert "execution failed" in dead["error"]

    served(use)


def test_a_header_that_fails_is_reported() -> None:
    async def use(client: httpx.AsyncClient) -> None:
        (result,) = await check(client, "import NoSuchFile\ntheorem t : True := trivial")
        assert result["response"]["messages"][0]["severity"] == "error"

    served(use, "--reject-imports")


def test_a_repl_out_of_step_answers_nobody_else() -> None:
    async def use(client: httpx.AsyncClient) -> None:
        for number in range(3):
            planted, honest = await check(
                client, f"import A\ndef a{number} := BAD FAULT_blocks", f"import A\ndef b{number} := 1"
            )
            assert "error" in planted and "messages" not in honest["response"]

    served(use, workers=1)


def test_the_old_endpoint() -> None:
    async def use(client: httpx.AsyncClient) -> None:
        codes = [
            {"custom_id": 7, "proof": "import A\ndef a := 1"},
            {"custom_id": "b", "code": "def b := BAD"},
        ]
        answer = (await client.post("/verify", json={"codes": codes, "timeout": 5})).json()["results"]
        assert [result["custom_id"] for result in answer] == [7, "b"]
        assert answer[0]["response"]["time"] >= 0
        assert answer[1]["response"]["messages"][0]["pos"]["line"] == 1
        assert (await client.post("/verify", json={"codes": []})).json() == {"results": []}

    served(use)


def test_the_old_endpoint_refuses_what_the_new_one_does() -> None:
    async def use(client: httpx.AsyncClient) -> None:
        codes = [{"custom_id": 7, "proof": "import A\ndef a := 1"}]
        for more in ({"infotree_type": ["full"]}, {"infotree_type": "all"}, {"timeout": -1}):
            assert (await client.post("/verify", json={"codes": codes, **more})).status_code == 422

    served(use)


@pytest.mark.parametrize("item", ['"id": "a", "code": "def \\ud800"', '"id": "\\udfff", "code": "x"'])
def test_half_a_character_is_refused(item: str) -> None:
    async def use(client: httpx.AsyncClient) -> None:
        answer = await client.post("/api/check", content=f'{{"snippets": [{{{item}}}]}}')
        assert answer.status_code == 422 and "surrogate" in answer.json()["detail"][0]["msg"]
        (result,) = await check(client, "import A\ndef a := 1")
        assert "response" in result, "and the next request is answered"

    served(use)


@pytest.mark.parametrize(
    ("length", "code"), [("9" * 15, 413), ("9" * 5000, 400), ("-1", 400), ("\u00b2", 400), ("1e9", 400)]
)
def test_an_impossible_length_is_refused(length: str, code: int) -> None:
    async def use(client: httpx.AsyncClient) -> None:
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        writer.write(
            f"POST /api/check HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n".encode("latin-1")
        )
        assert (await reader.readline()).startswith(f"HTTP/1.1 {code} ".encode())
        writer.close()

    served(use)


def test_a_fault_of_the_server_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("a mistake of ours")

    async def use(client: httpx.AsyncClient) -> None:
        monkeypatch.setattr(LeanServer, "_one", broken)
        answer = await client.post("/api/check", json={"snippets": snippets("x")})
        assert answer.status_code == 500 and "a mistake of ours" in answer.json()["detail"]

    served(use)


def test_bad_requests_are_refused_with_a_reason() -> None:
    async def use(client: httpx.AsyncClient) -> None:
        twice = snippets("def a := 1") * 2
        for body in [
            {},
            {"snippets": []},
            {"snippets": twice},
            {"snippets": [{"id": "a"}]},
            {"snippets": 3},
            {"snippets": snippets("x"), "timeout": 1.5},
            {"snippets": snippets("x"), "infotree": "all"},
            {"snippets": snippets("x"), "infotree": ["full"]},
            {"snippets": snippets("x"), "infotree": {}},
            {"snippets": snippets("x"), "timeout": 10**400},
            [],
        ]:
            answer = await client.post("/api/check", json=body)
            assert answer.status_code == 422 and answer.json()["detail"][0]["msg"]
        assert (await client.post("/api/check", content=b"{")).status_code == 422
        assert (await client.get("/api/check")).status_code == 405
        assert (await client.post("/nothing", json={})).status_code == 404

    served(use)


def test_chunks_are_read_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.serving.web.LARGEST_BODY", 100)

    async def use(client: httpx.AsyncClient) -> None:
        for parts, code in (([b"{", b"}"], 422), ([b" " * 60] * 2, 413)):
            assert (await client.post("/api/check", content=_stream(parts))).status_code == code

    served(use)


async def _stream(parts: list[bytes]) -> Any:
    for part in parts:
        yield part


def test_a_client_that_leaves_takes_its_work_along() -> None:
    async def use(client: httpx.AsyncClient) -> None:
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        body = json.dumps({"snippets": snippets("import A\nFAULT_hang"), "timeout": 60}).encode()
        writer.write(b"POST /api/check HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        await asyncio.sleep(0.3)
        writer.close()
        del reader
        (result,) = await asyncio.wait_for(check(client, "import A\ndef a := 1"), 50)
        assert "error" not in result

    served(use, workers=1)


def test_the_client_gets_verdicts_through_it() -> None:
    async def use(client: httpx.AsyncClient) -> None:
        verifier = KiminaVerifier([str(client.base_url)], Reach(30.0), 2, Retries(2, 0.01), 1000)
        proofs = ["by simp", "by exact BAD", "by simp FAULT_die", "by simp FAULT_long"]
        verdicts = await verifier.check([Candidate(PROBLEM, proof) for proof in proofs], Level.STRICT)
        await verifier.close()
        assert [verdict.status for verdict in verdicts] == [
            Status.PROVED, Status.REJECTED, Status.INFRA, Status.PROVED
        ]  # fmt: skip

    served(use)


def test_the_server_starts_says_where_and_stops_on_a_signal() -> None:
    code = (
        "import sys; from harness.lean.services.opening import serve_lean; "
        "from harness.spec import LeanSpec; "
        "serve_lean(LeanSpec(service='repl'), '127.0.0.1', int(sys.argv[1]))"
    )
    with subprocess.Popen([sys.executable, "-c", code, "0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[3]
        port = url.rpartition(":")[2]
        assert httpx.get(f"{url}/health", trust_env=False).json() == {"status": "ok"}
        taken = subprocess.run(
            [sys.executable, "-c", code, port], capture_output=True, text=True, timeout=120
        )
        assert "UserError: cannot listen on" in taken.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
