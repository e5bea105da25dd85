"""The page of a comparison, and the comparison of runs that W&B alone holds."""

import base64
import gzip
import json
import re
import shutil
from pathlib import Path

import pytest

from harness import cli
from harness.analysis.runs import open_run
from tests.boards.test_live import store
from tests.wandb_server import environment, serving

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:wandb_workspaces")
Captured = pytest.CaptureFixture[str]


def test_the_page_opens_with_the_sentence_and_links_names_to_proofs(tmp_path: Path, capsys: Captured) -> None:
    root = tmp_path / "runs"
    for name, alpha in (("one", 0.25), ("two", 0.5)):
        store(root, name, alpha)
    target = tmp_path / "out" / "page.html"
    found = sorted(path.parent.name for path in root.glob("*/spec.json"))
    assert cli.main(["compare", *found, "--runs", str(root), "--html", str(target)]) == 0
    assert f"page written to {target}" in capsys.readouterr().err
    page = target.read_text(encoding="utf-8")
    assert re.search(r"<h2>B [^<]+</h2>", page) and "Paired by problem" in page
    assert f'href="#run/{found[1]}/' in page, "a problem is a link to its attempts"
    packed = re.search(r'id="data">([^<]+)<', page)
    assert packed is not None
    data = json.loads(gzip.decompress(base64.b64decode(packed[1])))
    assert set(data["runs"]) == set(found) and "s0-forest-pass" in data["charts"]
    proofs = [a["proof"] for one in data["runs"][found[0]]["problems"] for a in one["attempts"]]
    assert any(proofs)
    assert "http://" not in page.split('id="vega"')[0].replace("http://www.w3.org", "")


@pytest.mark.slow
def test_runs_are_compared_by_their_ids_in_w_and_b(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    here, there = tmp_path / "runs", tmp_path / "elsewhere"
    for name, alpha in (("one", 0.25), ("two", 0.5)):
        store(here, name, alpha)
    found = sorted(path.parent.name for path in here.glob("*/spec.json"))
    assert all(open_run(here / name).summary.solved for name in found), "their figures are written"
    with serving() as server:
        for name, value in environment(server, tmp_path).items():
            monkeypatch.setenv(name, value)
        assert cli.main(["publish", *found, "--runs", str(here), "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        paths = ["/".join(re.findall(r"[^/]+", one["url"])[-4:]).replace("/runs/", "/") for one in told]
        assert cli.main(["compare", *paths, "--runs", str(there), "--json"]) == 0
        elsewhere = json.loads(capsys.readouterr().out)
        assert cli.main(["compare", paths[0], "me/none/abcdefgh", "--runs", str(there)]) == 2
        assert "no such W&B run" in capsys.readouterr().err
        assert cli.main(["compare", *found, "--runs", str(here), "--wandb", "--json"]) == 0
        assert "W&B report: " in capsys.readouterr().err and server.store.views
    ids = [path.rsplit("/", 1)[-1] for path in paths]
    assert cli.main(["compare", *ids, "--runs", str(here), "--json"]) == 0, "known here: no server is asked"
    local = json.loads(capsys.readouterr().out)
    assert local["figures"] == elsewhere["figures"] and local["a"] == elsewhere["a"]
    shutil.rmtree(there)
