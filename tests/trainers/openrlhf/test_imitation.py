"""Expert iteration by OpenRLHF: the argument list, and with a stand-in from proofs to a new generator."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import checkpoints as sealed
from harness.benchmarks.loading import split_of
from harness.cli import main
from harness.errors import UserError
from harness.experiment.adoption import OTHER_PROMPTS, adopt
from harness.experiment.spec import ExperimentSpec
from harness.prompts import embedded
from harness.prompts.files import opening
from harness.prompts.registry import family
from harness.types import Attempt, Problem, Usage
from tests.conftest import Trained
from tests.tiny_models import make_causal_lm
from tests.trainers.openrlhf import contract
from tests.trainers.openrlhf.making import ONE_GPU, changed, spec
from trainers.openrlhf import imitation, launch, supervised

STUB = Path(__file__).with_name("stub.py")
NAME = "deepseek-prover-v2-resumed"
TAUGHT: dict[str, Any] = {
    "improve.method": "expert_iteration",
    "generator.prompt": NAME,
    "expert_iteration": {"steps": 500, "batch_size": 64, "learning_rate": 1e-5},
}
SMALL: dict[str, Any] = {**ONE_GPU, "expert_iteration": {"steps": 3, "batch_size": 4, "learning_rate": 1e-3}}
SPLIT = spec(**{key.replace(".", "__"): value for key, value in TAUGHT.items()})
ONE = changed({**ONE_GPU, "improve.method": "expert_iteration"})

RECIPE = """
--model.model_name_or_path /models/prover --data.dataset /runs/x/rows.jsonl --data.input_key prompt
--data.output_key label --data.input_template {} --data.max_len 8192 --data.max_samples 32000
--train.batch_size 64 --train.micro_batch_size 4 --train.max_epochs 1 --train.seed 42
--adam.lr 1e-05 --adam.betas 0.9 0.98 --adam.weight_decay 0.01 --lr_scheduler cosine
--lr_warmup_ratio 0.1000 --max_norm 1.0 --ds.zero_stage 3 --ds.param_dtype bf16
--ds.attn_implementation flash_attention_2 --ds.packing_samples --model.gradient_checkpointing_enable
--ckpt.path /runs/x/ckpt --ckpt.output_dir /runs/x/final --ckpt.save_steps 50 --ckpt.max_num 2
"""


def planned(made: ExperimentSpec, context: int = 8192) -> supervised.Supervised:
    return imitation.planned(made, Path("/runs/x"), "/models/prover", context, 42)


def test_it_is_torchrun_on_all_eight_with_these_words() -> None:
    made = supervised.process(planned(SPLIT))
    assert made.argv[4:7] == ("--nproc-per-node=8", "-m", "openrlhf.cli.train_sft")
    assert list(made.argv[7:]) == RECIPE.split() and made.gpus == tuple(range(8))


@pytest.mark.skipif(contract.package() is None, reason=f"{contract.VARIABLE} names no wheel")
@pytest.mark.parametrize("made", [planned(SPLIT), replace(planned(SPLIT), resume=True), planned(ONE, 512)])
def test_the_wheels_own_parser_takes_them(made: supervised.Supervised) -> None:
    folder = contract.package()
    assert folder is not None
    taken = contract.accepted(folder, "train_sft", supervised.arguments(made))
    assert taken.data.input_template == "{}" and taken.ckpt.load_enable is made.resume
    assert taken.ds.packing_samples is made.packing and taken.train.batch_size == made.batch_size


def test_two_rounds_on_the_node_are_planned_whole(capsys: pytest.CaptureFixture[str]) -> None:
    changes = ("--set", "improve.method=expert_iteration", "--set", "rounds=2")
    assert main(["plan", "base/node8", "--json", *changes]) == 0
    [point] = json.loads(capsys.readouterr().out)["points"]
    assert point["refusals"] == []
    process = point["processes"][-1]
    assert process["name"] == "imitation" and process["gpus"] == list(range(8))
    costs = {cost["name"]: cost for cost in point["costs"]}
    assert {f"round {n}: {kind}" for n in (1, 2) for kind in ("trajectories", "expert_iteration")} <= set(
        costs
    )
    told = costs["round 1: expert_iteration"]
    assert "500 steps x 64 texts" in told["arithmetic"][0] and " x 8 = " in told["arithmetic"][0]
    assert told["gpu_hours"] == pytest.approx(8 * told["wall_s"] / 3600) and told["meanwhile_gib"] > 100


@pytest.fixture
def python(tmp_path: Path) -> str:
    """An interpreter for which `-m torch.distributed.run` is the stand-in."""
    path = tmp_path / "python"
    path.write_text(f'#!/bin/sh\nexec {sys.executable} {STUB} "$@"\n')
    path.chmod(0o755)
    return str(path)


def proofs() -> list[tuple[Problem, Attempt]]:
    """Of each theorem its own proof, as a model answers, and a longer one."""
    found = []
    for problem in split_of("core-curriculum", "train")[:12]:
        gold = (problem.gold or "").strip("\n")
        for more in ("  skip\n", ""):
            file = f"{opening(problem)}\n{more}" + "".join(f"  {line}\n" for line in gold.split("\n"))
            raw = f"So it is.\n```lean4\n{file}```"
            read = family(NAME).read_proof(raw).text
            found.append((problem, Attempt(problem.id, 0, 1, read, raw=raw)))
    return found


def work(parent: Path, python: str, **changes: Any) -> imitation.Imitation:
    given = {
        "generator.checkpoint": str(parent),
        "generator.prompt": NAME,
        "improve.method": "expert_iteration",
    }
    more = {key.replace("__", "."): value for key, value in changes.items()}
    made = {**SMALL, "improve.openrlhf.python": python, "improve.openrlhf.micro_batch": 2, **given, **more}
    return imitation.Imitation(changed(made), parent, proofs(), 7)


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_causal_lm(tmp_path_factory.mktemp("parent") / "plain", context=2048)
    adopt(folder, None, None)
    return folder


LONG = {"whole_proof__max_new_tokens": 1024}
Calls = list[tuple[int, int, dict[str, float]]]


def test_proofs_go_in_and_a_new_generator_comes_out(parent: Path, tmp_path: Path, python: str) -> None:
    calls: Calls = []
    metrics = imitation.train(
        work(parent, python, **LONG), tmp_path / "out", lambda *call: calls.append(call)
    )
    assert [call[:2] for call in calls] == [(1, 3), (2, 3), (3, 3)]
    # Two passes a step, of which the bar tells one by one, after the figures of the step before.
    assert [call[2]["loss"] for call in calls] == pytest.approx([2.125, 1.125, 0.125])
    assert calls[0][2] == {"loss": 2.125, "lr": 1e-5, "grad_norm": 0.5}
    assert (metrics["loss_first"], metrics["loss"]) == (2.125, 0.125)
    assert (metrics["examples"], metrics["theorems"], metrics["skipped"]) == (12.0, 12.0, 0.0)
    found, before = sealed.intact(tmp_path / "out", "generator"), sealed.read(parent)
    assert found.parent == before.weights != found.weights and metrics["moved"] > 0
    assert found.prompt_format == before.prompt_format == OTHER_PROMPTS
    assert not (tmp_path / "out" / "openrlhf" / "final").exists()


def test_the_texts_are_the_familys_prompts_and_the_models_own_shortest_answers(
    parent: Path, tmp_path: Path, python: str
) -> None:
    imitation.train(work(parent, python, **LONG), tmp_path / "out", lambda *_: None)
    lines = (tmp_path / "out" / "openrlhf" / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == 3 * 4
    ask = family(NAME).proof
    assert ask is not None
    wanted = {
        f"<|user|>{ask(problem).messages[0].content}<|end|><|assistant|>": f"{attempt.raw}<|end|>"
        for problem, attempt in proofs()
        if "skip" not in attempt.raw
    }
    assert {row["prompt"]: row["label"] for row in rows} == wanted


def test_a_killed_training_goes_on_from_its_checkpoint(
    parent: Path, tmp_path: Path, python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: Calls = []
    made = work(parent, python, **LONG)
    monkeypatch.setenv("STUB_DIES_AFTER", "2")
    with pytest.raises(launch.Ended, match="exit code 137"):
        imitation.train(made, tmp_path / "out", lambda *call: calls.append(call))
    monkeypatch.delenv("STUB_DIES_AFTER")
    imitation.train(made, tmp_path / "out", lambda *call: calls.append(call))
    assert [call[0] for call in calls] == [1, 3]  # whether the second was well was never told


def test_a_loss_that_is_no_number_ends_it(
    parent: Path, tmp_path: Path, python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUB_LOSS", "nan")
    with pytest.raises(launch.Ended, match="loss is nan: the weights are spoilt"):
        imitation.train(work(parent, python, **LONG), tmp_path / "out", lambda *_: None)


def test_without_a_text_that_fits_nothing_is_trained(parent: Path, tmp_path: Path, python: str) -> None:
    none = replace(work(parent, python), proved=())
    for made in (none, work(parent, python, whole_proof__max_new_tokens=8)):
        with pytest.raises(UserError, match="no proof was found to train on"):
            imitation.train(made, tmp_path / "out", lambda *_: None)


def test_a_generator_made_here_is_taught_by_its_own_prompts(
    generator: Trained, tmp_path: Path, python: str
) -> None:
    own = {"improve.method": "expert_iteration", "improve.openrlhf.micro_batch": 4}
    made = changed({**SMALL, "improve.openrlhf.python": python, **own})
    proved = [
        (problem, Attempt(problem.id, 0, 1, problem.gold, usage=Usage()))
        for problem in generator.problems
        if problem.gold
    ]
    start = imitation.Imitation(made, generator.path, proved, 7, generator.world)
    metrics = imitation.train(start, tmp_path / "out", lambda *_: None)
    rows = [
        json.loads(line)
        for line in (tmp_path / "out" / "openrlhf" / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert all(row["prompt"].endswith("<sep>") and row["label"].endswith(embedded.END) for row in rows)
    assert metrics["examples"] > len(proved) > 0
