"""`--serve`: the page follows the runs folder, and answers to its own name alone."""

from pathlib import Path

import pytest

from harness.analysis.runs import load_runs
from harness.boards.live import LiveBoard, application
from harness.boards.ranking import rank
from harness.records.store import RunStore
from tests.boards.making import board
from tests.making import record, refs, session, spec

testclient = pytest.importorskip("starlette.testclient")


def store(root: Path, name: str, alpha: float) -> None:
    keys = {"search.alpha": alpha}
    with RunStore.create_or_resume(root / name, spec(**keys), refs(1), session()) as run:
        run.append(record("p000"))


def test_the_page_follows_the_folder(tmp_path: Path) -> None:
    store(tmp_path, "one", 0.25)
    shown = LiveBoard(tmp_path, lambda: rank(board(), load_runs(tmp_path)[0]), lambda *_: {})
    client = testclient.TestClient(application(shown, "127.0.0.1"), base_url="http://127.0.0.1:8080")
    before = client.get("/version").text
    assert "alpha 0.25" in client.get("/").text and client.get("/version").text == before
    store(tmp_path, "two", 0.5)
    assert client.get("/version").text != before and "alpha 0.5" in client.get("/").text
    found = client.get("/run/two").json()
    assert found["title"] == "alpha 0.5, seed 0" and found["problems"][0]["attempts"][0]["status"] == "proved"
    assert client.get("/run/three").status_code == 404
    assert client.get("/", headers={"host": "elsewhere.example"}).status_code == 400
    assert "connect-src 'self'" in client.get("/").text
