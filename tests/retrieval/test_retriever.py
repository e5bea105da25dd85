"""Nearest premises, what is kept, and how good they are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.benchmarks import core_library
from harness.cli import main
from harness.errors import BadReply, SpecError
from harness.policies.engine import Decoding
from harness.policies.prompted import Decodings, PromptedPolicy
from harness.policies.spec import ServerPolicySpec, identity
from harness.prompts.registry import family
from harness.retrieval.corpus import Corpus
from harness.retrieval.encoders import LexicalEncoder, ServedEncoder, Vectors, unit, words
from harness.retrieval.measuring import Query, quality, queries
from harness.retrieval.opening import open_retriever
from harness.retrieval.retriever import Retriever
from harness.retrieval.spec import RetrievalSpec
from harness.serving.fleet import Patience
from harness.serving.models import fleet
from harness.types import Problem, ProofState
from tests.policies.test_prompted import Scripted, said
from tests.retrieval.test_corpus import entry
from tests.serving.double import Reply, running

ALL = np.ones(4, dtype=bool)
CORPUS = Corpus([entry("A.lean", [], "one", "two", "two_again", "three")], "x")
PLACES = {"one": [1.0, 0.0], "two": [0.6, 0.8], "three": [0.0, 1.0]}


class Placed:
    """Where a text lies in a plane, by a word in it; remembers what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return np.array([next(PLACES[w] for w in PLACES if w in text) for text in texts], dtype=np.float32)


def near(text: str, k: int, mask: Any = ALL) -> list[str]:
    [found] = asyncio.run(Retriever(CORPUS, Placed(), "d").nearest([text], [mask], k))
    return [item.premise.name for item in found]


def test_the_nearest_come_first_and_ties_in_the_order_of_the_corpus() -> None:
    assert near("one", 4) == ["one", "two", "two_again", "three"]
    assert near("one", 2) == ["one", "two"] and near("three", 2) == ["three", "two"]
    assert near("one", 3, np.array([False, True, False, True])) == ["two", "three"]
    assert near("one", 3, ~ALL) == []


def test_vectors_are_made_once_and_kept_by_what_they_were_made_of(tmp_path: Path) -> None:
    for digest, asked in (("a", 4), ("a", 0), ("b", 4)):
        encoder = Placed()
        asyncio.run(Retriever(CORPUS, encoder, digest, folder=tmp_path).vectors())
        assert len(encoder.asked) == asked
    assert {path.name for path in tmp_path.iterdir()} == {"premises-a.npy", "premises-b.npy"}


def test_recall_and_mrr_are_means_over_the_tactics_that_name_a_premise() -> None:
    retriever = Retriever(CORPUS, Placed(), "d")
    asked = [Query("one", frozenset({0, 3}), ALL), Query("three", frozenset({1}), ALL)]
    found = asyncio.run(quality(retriever, asked, [1, 2]))
    assert found.recall == {1: pytest.approx(0.25), 2: pytest.approx(0.75)}
    assert found.mrr == pytest.approx((1 + 1 / 2) / 2) and found.queries == 2
    with pytest.raises(SpecError, match="names a premise"):
        asyncio.run(quality(retriever, [], [1]))


def test_queries_are_tactics_with_premises_of_the_corpus() -> None:
    used = {"def_path": "A.lean", "def_pos": [2, 5], "full_name": "two"}
    foreign = {"def_path": "Z.lean", "def_pos": [1, 1], "full_name": "z"}
    steps = [
        {"state_before": "s", "annotated_tactic": ["t", told]} for told in ([], [foreign], [used, foreign])
    ]
    row = {"file_path": "A.lean", "full_name": "three", "start": [4, 1], "traced_tactics": steps}
    [query] = queries(CORPUS, [row])
    assert query.used == {1} and query.mask.tolist() == [True, True, True, False]
    with pytest.raises(SpecError, match="no file of the corpus"):
        queries(CORPUS, [{**row, "file_path": "Z.lean"}])


def test_words_of_lean_and_their_rarity() -> None:
    assert words("⊢ <a>Nat.add_comm</a> x₁ 12") == ["⊢", "Nat", ".", "add_comm", "add", "comm", "x₁", "12"]
    encoder = LexicalEncoder(["a common", "b common", "c rare common"])
    rare, common = asyncio.run(encoder.encode(["c rare", "common"]))
    assert float(rare @ asyncio.run(encoder.encode(["rare"]))[0]) > 0.5
    assert float(rare @ common) == 0 and unit(np.zeros((1, 3), dtype=np.float32)).tolist() == [[0, 0, 0]]


def test_a_prompt_holds_the_premises_that_its_problem_may_use() -> None:
    retriever = Retriever(CORPUS, Placed(), "d", k=2)
    engine, how = Scripted(said("rfl")), Decoding("greedy", 8)
    made = PromptedPolicy(engine, family("reprover"), Decodings(how, how), premises=retriever.premises)
    problem = Problem("p", "", "", "import A\n", "theorem p : True", "p")
    states = [ProofState(("⊢ one",), problem=problem), ProofState(("⊢ three",))]
    asyncio.run(made.propose(states, [0, 0], 4))
    assert [ask.prompt.text for ask in engine.asked] == [
        "theorem <a>two</a> : True\n\ntheorem <a>one</a> : True\n\n⊢ one", "⊢ three"
    ]  # fmt: skip


def test_a_served_encoder_that_answers_nonsense_is_the_machines_failure() -> None:
    async def asked(reply: Any) -> Vectors:
        async with running(lambda path, body: Reply({"data": reply})) as [server]:
            encoder = ServedEncoder(fleet([server.url], "urls", 4, 5.0, Patience(0.1, 1, 0.01)), "m")
            try:
                return await encoder.encode(["a", "b"])
            finally:
                await encoder.close()

    words = [{"index": number, "embedding": "x"} for number in (0, 1)]
    for data in ([], [{"index": 0, "embedding": [1.0]}], [{"index": 0}] * 2, words):
        with pytest.raises(BadReply):
            asyncio.run(asked(data))
    good = [{"index": 1, "embedding": [0.0, 2.0]}, {"index": 0, "embedding": [3.0, 4.0]}]
    assert asyncio.run(asked(good)).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 1]]


def test_what_is_retrieved_is_in_the_digest_and_where_is_not(tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_text(json.dumps(entry("A.lean", [], "a")))
    spec = {"urls": ["http://x"], "model": "m", "prompt": "reprover"}

    def told(**more: Any) -> Any:
        retrieval = {"corpus": str(tmp_path / "corpus.jsonl"), **more}
        return identity(ServerPolicySpec.model_validate_json(json.dumps(spec | {"retrieval": retrieval})))

    assert "retrieval" not in identity(ServerPolicySpec.model_validate_json(json.dumps(spec)))
    served = {"kind": "server", "model": "e", "urls": ["http://a"]}
    assert told(encoder=served) == told(encoder=served | {"urls": ["http://b"]})
    assert len({str(told()), str(told(k=3)), str(told(encoder=served))}) == 3
    other = spec | {"prompt": "bfs-prover", "retrieval": {"corpus": "c"}}
    with pytest.raises(ValueError, match="shows no premises"):
        ServerPolicySpec.model_validate_json(json.dumps(other))


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded core's library, written down."""
    folder = tmp_path_factory.mktemp("core")
    core_library.write(folder)
    return folder


def test_the_cores_library_names_its_premises(
    core: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    retriever = open_retriever(RetrievalSpec(corpus=str(core / "corpus.jsonl")))
    rows = json.loads((core / "random" / "test.json").read_text())
    [row] = [item for item in rows if item["full_name"] == "Nat.add_left_comm"]
    [query] = queries(retriever.corpus, [row])
    names = [item.name for item in retriever.corpus.premises]
    assert {names[number] for number in query.used} == {"Nat.add_assoc", "Nat.add_comm"}
    [found] = asyncio.run(retriever.nearest([query.state], [query.mask], 30))
    assert query.used <= {item.number for item in found} <= set(np.flatnonzero(query.mask))
    assert not query.mask[names.index("Nat.add_left_comm")], "nor anything further down"
    assert len(rows) > 250 and len(names) > 450


def test_the_command_measures_and_answers(
    core: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    assert main(["premises", str(core), "--limit", "20", "-k", "5"]) == 0
    assert "R@5 %" in capsys.readouterr().out
    assert main(["premises", str(core), "--state", "⊢ a ∧ b", "-k", "3"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    for argv in (["nowhere"], ["core", "--server", "http://x"], [str(core), "--split", "val"]):
        assert main(["premises", *argv]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
