"""One tiny experiment from the command line to its records: trained, measured, cached, resumed, repeated."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import save_file

from harness import checkpoints
from harness.analysis.runs import open_run
from harness.cli import main
from harness.errors import InfraError
from harness.records import stages
from harness.records.journal import read_rows
from harness.terminal.progress import RunningTally
from harness.types import Record
from trainers.harvest import Harvest, Harvested

pytestmark = pytest.mark.slow

TINY = """
name: tiny
seed: 1
lean: {service: core, level: strict}
train: {benchmark: core-curriculum, split: train, max_difficulty: 2, limit: 400}
generator: {hidden_size: 48, layers: 1, heads: 2, vocab_size: 300, context: 128, max_difficulty: 2,
            steps: 200, batch_size: 16, learning_rate: 1.0e-2}
trajectories:
  problems: 30
  search: &small {alpha: 1.0, expansions: 8, tactic_calls: 40, decode: {width: 4, max_tactic_tokens: 16}}
value: {epochs: 1, held_out: 0.3, other_states: zero}
grpo: {kl: 0.05, samples: 2, prompts: 2, steps: 2, max_difficulty: 2}
expert_iteration: {steps: 4, batch_size: 8}
search: {<<: *small, alpha: 0.5}
whole_proof: {max_new_tokens: 24}
evaluations:
  - name: search
    prover: best_first
    problems: {benchmark: core-curriculum, split: valid, limit: 8, max_difficulty: 2}
  - name: whole
    prover: whole_proof
    samples: 2
    k: [1, 2]
    problems: {benchmark: core-curriculum, split: test, limit: 8, max_difficulty: 2}
tracking: {wandb: "off"}
runtime: {threads: 1, canaries: 2}
"""
CANARIES = 2


@dataclasses.dataclass(frozen=True)
class Said:
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


def harness(*argv: str | Path) -> Said:
    out, err = io.StringIO(), io.StringIO()
    before = signal.getsignal(signal.SIGTERM)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([str(part) for part in argv])
    finally:
        signal.signal(signal.SIGTERM, before)
    return Said(code, out.getvalue(), err.getvalue())


@dataclasses.dataclass(frozen=True)
class Campaign:
    """A finished experiment. `root` is its runs folder; tests that change it work on a copy."""

    file: Path
    root: Path
    said: Said

    def run(self, root: Path, *more: str) -> Said:
        return harness("run", self.file, "--runs", root, "--plain", *more)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    folder = tmp_path_factory.mktemp("campaign")
    file = folder / "tiny.yaml"
    file.write_text(TINY)
    empty = Campaign(file, folder / "runs", Said(0, "", ""))
    return dataclasses.replace(empty, said=empty.run(empty.root))


@pytest.fixture
def copy(first: Campaign, tmp_path: Path) -> Iterator[Path]:
    shutil.copytree(first.root, tmp_path / "runs")
    yield tmp_path / "runs"


def folder_of(root: Path, evaluation: str) -> Path:
    (found,) = root.glob(f"tiny.{evaluation}-*")
    return found


def facts(folder: Path) -> dict[tuple[str, str, int], Record]:
    """The records of a run by key, timings aside."""
    return {record.key: _timeless(record) for record in open_run(folder).records}


def _timeless(record: Record) -> Record:
    attempt, verdict = record.attempt, dataclasses.replace(record.verdict, seconds=0.0)
    if attempt.search is not None:
        search = dataclasses.replace(attempt.search, policy_s=0.0, lean_s=0.0, value_s=0.0)
        attempt = dataclasses.replace(attempt, search=search)
    return dataclasses.replace(record, attempt=attempt, verdict=verdict)


def content(root: Path) -> dict[str, bytes]:
    """Every fact and checkpoint below `root`."""
    wanted = [*root.glob("tiny.*/records.jsonl"), *root.glob("stages/*/*")]
    return {str(path.relative_to(root)): path.read_bytes() for path in wanted if path.is_file()}


def weights(root: Path) -> dict[str, str]:
    sealed = sorted(path.parent for path in root.glob("stages/*/checkpoint.json"))
    return {path.name: checkpoints.read(path).weights for path in sealed}


def test_one_command_trains_searches_checks_and_reports(first: Campaign) -> None:
    assert first.said.code == 0, first.said.err
    kinds = sorted(path.name.split("-")[0] for path in (first.root / "stages").glob("[a-z]*-*"))
    assert kinds == ["generator", "grpo", "trajectories", "value"]
    for curve in (first.root / "stages").glob("*/curve.jsonl"):
        steps = [row["step"] for _, row in read_rows(curve)]
        assert steps and steps == sorted(set(steps)), curve
    assert len(weights(first.root)) == len(set(weights(first.root).values())) == 3
    for name, owed in (("search", 8), ("whole", 16)):
        view = open_run(folder_of(first.root, name))
        assert len(view.records) == owed + CANARIES * view.summary.samples
        assert (view.summary.owed, view.summary.scored, view.summary.missing) == (owed, owed, 0)
        assert view.name in first.said.out
        assert view.summary.canaries_proved == 0
    searched = facts(folder_of(first.root, "search")).values()
    assert all(record.attempt.search and record.attempt.search.expanded <= 8 for record in searched)
    assert any(record.verdict.status == "proved" for record in searched), "too weak to show anything"


def test_a_second_run_makes_nothing(first: Campaign, copy: Path) -> None:
    before = content(copy)
    again = first.run(copy)
    assert (again.code, again.out) == (0, first.said.out.replace(str(first.root), str(copy)))
    assert content(copy) == before
    assert again.err.count("cached") == 4 and again.err.count("are there") == 2


def test_a_dry_run_tells_what_is_cached_and_why_the_rest_is_not(first: Campaign, tmp_path: Path) -> None:
    def lines(root: Path, *more: str) -> dict[str, Any]:
        said = first.run(root, "--dry-run", "--json", *more)
        assert said.code == 0, said.err
        return {line["name"]: line for line in said.data}

    names = ["generator", "round 1: trajectories", "round 1: value", "round 1: grpo", "search", "whole"]
    cached = lines(first.root)
    assert list(cached) == names
    assert {line["state"] for line in cached.values()} == {"cached"}
    gamma = lines(first.root, "--set", "value.gamma=0.8")
    assert [name for name in names if gamma[name]["state"] != "cached"] == ["round 1: value", "search"]
    assert gamma["round 1: value"]["why"].startswith("value.gamma differs from value-")
    nothing = lines(tmp_path / "none")
    assert {line["state"] for line in nothing.values()} == {"would run"}
    assert not (tmp_path / "none").exists(), "a dry run makes nothing"


@pytest.mark.parametrize("name", ["search", "whole"])
def test_a_run_cut_off_in_the_middle_of_a_line_ends_with_the_same_records(
    first: Campaign, copy: Path, name: str
) -> None:
    run = folder_of(copy, name)
    whole = facts(run)
    lines = (run / "records.jsonl").read_bytes().splitlines(keepends=True)
    kept = lines[: len(lines) // 2]
    (run / "records.jsonl").write_bytes(b"".join(kept) + lines[len(kept)][: len(lines[len(kept)]) // 2])
    (run / "summary.json").unlink()
    before = {line["name"]: line for line in first.run(copy, "--dry-run", "--json").data}
    assert before[name]["state"] == "would resume"
    assert before[name]["why"] == f"{len(kept)} of {len(lines)} records are there"
    assert first.run(copy).code == 0
    assert facts(run) == whole
    assert (run / "records.jsonl").read_bytes().startswith(b"".join(kept)), "a kept record was changed"
    assert json.loads((run / "summary.json").read_text())["records"]["lines"] == len(lines)


def test_a_run_killed_while_it_collects_goes_on_there(
    first: Campaign, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the same states, models and learning curve; only theorems that were not searched yet are."""
    shutil.rmtree(next(copy.glob("stages/trajectories-*")))
    added: list[str] = []
    add = Harvest.add

    def counted(self: Harvest, found: Harvested, *more: Any) -> None:
        add(self, found, *more)
        added.append(found.records[0].problem_id)
        if len(added) == 12:
            raise InfraError("killed")

    monkeypatch.setattr(Harvest, "add", counted)
    train = ("train", "trajectories", str(first.file), "--runs", str(copy), "--plain")
    assert harness(*train).code == 1
    told = {line.split()[0] for line in harness(*train, "--dry-run").out.splitlines() if "resume" in line}
    assert told == {"round"}
    assert harness(*train).code == 0
    assert len(added) == len(set(added)) == 30
    ours, theirs = (next(root.glob("stages/trajectories-*")) for root in (copy, first.root))
    assert (ours / "states.jsonl").read_bytes() == (theirs / "states.jsonl").read_bytes()
    noted = ([row["step"] for row in stages.curve(folder)] for folder in (ours, theirs))
    assert next(noted) == next(noted)


def test_an_interrupted_run_says_so_keeps_its_records_and_goes_on(
    first: Campaign, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = folder_of(copy, "whole")
    whole = facts(run)
    shutil.rmtree(run)
    count, add = [0], RunningTally.add

    def interrupted(self: RunningTally, record: Record) -> str | None:
        count[0] += 1
        if count[0] == 5:
            raise KeyboardInterrupt
        return add(self, record)

    with monkeypatch.context() as patched:
        patched.setattr(RunningTally, "add", interrupted)
        stopped = first.run(copy)
    assert stopped.code == 130 and "records and finished stages are kept" in stopped.err
    assert "Traceback" not in stopped.err
    kept = facts(run)
    assert len(kept) >= 5 and kept.items() <= whole.items()
    assert first.run(copy).code == 0
    assert facts(run) == whole


def test_the_same_spec_and_seed_give_the_same_weights_and_records(first: Campaign, tmp_path: Path) -> None:
    assert first.run(tmp_path / "other").code == 0
    assert weights(tmp_path / "other") == weights(first.root)
    for name in ("search", "whole"):
        one, two = folder_of(first.root, name), folder_of(tmp_path / "other", name)
        assert one.name == two.name
        assert facts(one) == facts(two)


def _other_weights(folder: Path) -> str:
    """Leave in a stage what another machine would have: the same but for a weight, and sealed."""
    sealed = checkpoints.read(folder)
    tensors = checkpoints.weights(folder)
    name = next(iter(tensors))
    save_file({**tensors, name: tensors[name] + 1e-3}, folder / "model.safetensors", {"format": "pt"})
    (folder / checkpoints.SEAL).unlink()
    made = checkpoints.seal(
        folder, sealed.kind, prompt_format=sealed.prompt_format, parent=None, metrics=sealed.metrics
    )
    told = json.loads((folder / stages.STAGE).read_text())
    told[stages.CONTENTS] = stages.contents(folder)
    (folder / stages.STAGE).write_text(json.dumps(told))
    return made.weights[:12]


def test_a_run_of_other_weights_is_never_gone_on_with_and_its_records_are_not_taken(
    first: Campaign, copy: Path
) -> None:
    (stage,) = (copy / "stages").glob("grpo-*")
    before, now = checkpoints.read(stage).weights[:12], _other_weights(stage)
    assert open_run(folder_of(copy, "whole")).spec["generator"]["weights"] == before != now
    said = first.run(copy)
    assert said.code == 2 and "generator.weights" in said.err
    [line] = [line for line in first.run(copy, "--dry-run").out.splitlines() if line.startswith("whole")]
    assert "would refuse" in line and "generator.weights: changed" in line
    whole = folder_of(copy, "whole")
    kept = facts(whole)
    renamed = first.run(copy, "--set", "name=other")
    assert renamed.code == 0 and "taken over" not in renamed.err
    assert facts(whole) == kept


def test_a_stage_of_other_weights_than_lie_there_today_is_not_used(first: Campaign, copy: Path) -> None:
    (stage,) = (copy / "stages").glob("generator-*")
    now = _other_weights(stage)
    said = first.run(copy)
    assert said.code == 2 and f"which now holds {now}" in said.err
    assert "trajectories-" in said.err and "delete the folder" in said.err


def made_stages(said: Said) -> list[str]:
    assert said.code == 0, said.err
    return [name for name, stage in said.data["stages"].items() if not stage["cached"]]


def test_expert_iteration_learns_from_the_same_trajectories(first: Campaign, copy: Path) -> None:
    said = first.run(copy, "--json", "--set", "improve.method=expert_iteration")
    assert made_stages(said) == ["round 1: expert_iteration"]
    stages = said.data["stages"]
    collected = stages["round 1: trajectories"]["metrics"]
    learned = stages["round 1: expert_iteration"]["metrics"]
    assert learned["theorems"] == collected["solved"] > 0
    assert len(set(weights(copy).values())) == 4


def test_grpo_asks_what_the_generator_proves_sometimes(first: Campaign, copy: Path) -> None:
    said = first.run(
        copy,
        "--json",
        "--set",
        "grpo.frontier={samples: 4, least: 0.1, most: 0.9}",
        "--set",
        "grpo.max_difficulty=1",
    )
    assert made_stages(said) == ["round 1: grpo"]
    stage = said.data["stages"]["round 1: grpo"]
    (rates,) = (copy / "stages").glob("grpo-*/solve_rates.jsonl")
    shares = [row["proved"] / row["tried"] for _, row in read_rows(rates)]
    asked = [share for share in shares if 0.1 <= share <= 0.9]
    assert 0 < len(asked) < len(shares) and stage["metrics"]["prompts"] == len(asked)


def test_another_gamma_trains_the_value_model_alone(first: Campaign, copy: Path) -> None:
    said = first.run(copy, "--json", "--set", "value.gamma=0.8")
    assert made_stages(said) == ["round 1: value"]
    assert len(list(copy.glob("tiny.search-*"))) == 2, "the guided search is another run"
    assert len(list(copy.glob("tiny.whole-*"))) == 1, "whole proofs ask no value model"


def test_another_alpha_trains_nothing(first: Campaign, copy: Path) -> None:
    said = first.run(copy, "--json", "--set", "search.alpha=1")
    assert made_stages(said) == []
    searches = [open_run(path) for path in sorted(copy.glob("tiny.search-*"))]
    assert sorted(view.spec["search"]["alpha"] for view in searches) == [0.5, 1.0]
