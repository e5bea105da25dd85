"""Checkpoints compared: measured in turn, by the code of `harness eval`, and made once."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from harness import checkpoints
from harness.cli import main
from harness.experiment import measure
from harness.experiment.attempts import run
from harness.experiment.turns import TurnPlace, Turns
from harness.prompts.embedded import FORMAT
from harness.types import Attempt, Problem
from tests.experiment.test_attempts import Judge, facts, make, store_at, work
from tests.experiment.test_attempts import Prover as Scripted


def beside(tmp_path: Path, first: Scripted, second: Scripted, **changes: Any) -> list[str]:
    """Two runs in one loop; the order in which their attempts began, as letters."""
    begun: list[str] = []

    class Noted:
        def __init__(self, letter: str, inner: Scripted) -> None:
            self.letter, self.inner = letter, inner

        async def attempt(self, problem: Problem, index: int, seed: int) -> Attempt:
            begun.append(self.letter)
            return await self.inner.attempt(problem, index, seed)

    async def both() -> None:
        turns = Turns(2)
        with store_at(tmp_path / "a") as a, store_at(tmp_path / "b") as b:
            await asyncio.gather(
                *(
                    run(
                        work(turn=TurnPlace(turns, place), **changes),
                        Noted(letter, prover),
                        Judge(),
                        store,
                        lambda record: None,
                    )
                    for place, (letter, prover, store) in enumerate([("a", first, a), ("b", second, b)])
                )
            )

    asyncio.run(both())
    return begun


def test_attempts_begin_in_turn_however_long_one_side_takes(tmp_path: Path) -> None:
    begun = beside(tmp_path, Scripted(turns=lambda seed: 0), Scripted(turns=lambda seed: 9), concurrency=1)
    assert "".join(begun) == "ab" * 21
    for name in ("a", "b"):
        _, alone = make(tmp_path / f"alone-{name}", Scripted())
        with store_at(tmp_path / name) as store:
            assert facts(store.records) == facts(alone), "beside another run the records are the same"


def test_a_run_that_owes_less_holds_nobody_up(tmp_path: Path) -> None:
    with store_at(tmp_path / "a") as store:
        asyncio.run(run(work(samples=2), Scripted(), Judge(), store, lambda record: None))
    begun = beside(tmp_path, Scripted(), Scripted(turns=lambda seed: 3))
    assert begun.count("a") == 7 and begun.count("b") == 21


def test_a_failing_side_ends_the_other(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        beside(tmp_path, Scripted(turns=lambda seed: 10_000), Scripted(turns=lambda seed: 1 // 0))


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two checkpoints without a model in them, a toy prover for each, and a runs folder."""
    monkeypatch.setenv("HARNESS_RUNS", str(tmp_path / "runs"))
    found = []
    for name in ("old", "new"):
        folder = tmp_path / name
        folder.mkdir()
        for file in ("config.json", "tokenizer.json", "model.safetensors"):
            (folder / file).write_text(json.dumps({"of": name}))
        checkpoints.seal(folder, "generator", prompt_format=FORMAT, parent=None, metrics={})
        found.append(str(folder))

    class Toy:
        def __init__(self, evaluation: Any) -> None:
            self.good = evaluation.generator.path.name == "new"

        async def attempt(self, problem: Problem, index: int, seed: int) -> Attempt:
            proof = problem.gold if self.good or index % 2 else "exact nothing"
            return Attempt(problem.id, index, seed, proof)

    monkeypatch.setattr(measure, "_prover", lambda evaluation, resources, lean: Toy(evaluation))
    return found


ASKED = ["--benchmark", "smoke", "--split", "test", "--limit", "12", "--samples", "4"]


def test_two_checkpoints_are_measured_and_compared(
    folders: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *folders, *ASKED, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["headline"].startswith("B proves more (pass@1 +50.0 points)") and told["asked"] == folders
    runs = sorted((tmp_path / "runs").glob("embedded.eval-*"))
    assert sorted([*told["a"], *told["b"]]) == [one.name for one in runs]
    specs = [json.loads((one / "spec.json").read_text()) for one in runs]
    assert specs[0]["seed"] == specs[1]["seed"] and specs[0]["whole_proof"] == specs[1]["whole_proof"]
    sessions = [json.loads((one / "provenance.json").read_text()) for one in runs]
    assert runs[1].name in json.dumps(sessions[0]), "each run says which one was made beside it"
    before = [(one / "records.jsonl").read_bytes() for one in runs]
    assert main(["compare", *folders, *ASKED]) == 0
    assert [(one / "records.jsonl").read_bytes() for one in runs] == before
    out = capsys.readouterr().out
    assert out.startswith("B proves more") and f"A = {folders[0]} ({told['a'][0]})" in out


def test_eval_and_compare_share_a_run(
    folders: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", "--generator", folders[0], "--prover", "whole_proof", *ASKED]) == 0
    capsys.readouterr()
    assert main(["compare", *folders, *ASKED, "--dry-run"]) == 0
    first, second = capsys.readouterr().out.splitlines()[1:]
    assert "cached" in first and "would run" in second


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{0}", "{0}"], "hold the same weights"),
        (["{0}", "nothing"], "is a checkpoint and nothing none"),
        (["{0}", "{1}", "--generator", "{0}"], "--generator: the sides are generators themselves"),
        (["none", "other", "--samples", "3"], "--samples: says how checkpoints are measured"),
        (["{0}", "{1}", "--alpha", "0.5"], "name one with"),
    ],
)
def test_what_cannot_be_compared_is_told_before_anything_is_made(
    folders: list[str], tmp_path: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *(word.format(*folders) for word in words)]) == 2
    assert said in capsys.readouterr().err
    assert not list((tmp_path / "runs").glob("embedded.*"))


def test_a_plain_folder_says_what_it_lacks(folders: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for folder in folders:
        (Path(folder) / checkpoints.SEAL).unlink()
    assert main(["compare", *folders]) == 2
    assert "a plain folder needs --prompt FAMILY" in capsys.readouterr().err


def test_more_than_two_sides(folders: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    third = tmp_path / "third"
    third.mkdir()
    for file in ("config.json", "tokenizer.json", "model.safetensors"):
        (third / file).write_text("3")
    checkpoints.seal(third, "generator", prompt_format=FORMAT, parent=None, metrics={})
    asked = ["compare", *folders, str(third), *ASKED, "--json"]
    assert main(asked) == 0
    found = json.loads(capsys.readouterr().out)["comparisons"]
    assert [one["asked"] for one in found] == [[folders[0], folders[1]], [folders[0], str(third)]]
    assert main([*asked, "--every-pair"]) == 0
    assert len(json.loads(capsys.readouterr().out)["comparisons"]) == 3
