"""Value training in processes of its own: two on a CPU, cut off and gone on with, read as it was measured."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness import checkpoints
from harness.errors import UserError
from harness.experiment.node import ValueTrainerSpec
from harness.experiment.spec import ValueSpec
from harness.types import ProofState
from harness.values.opening import open_trained
from harness.values.reading import STATE_FORMAT, Reader
from tests.tiny_models import SPECIAL, make_causal_lm
from trainers import value_process, value_trainer
from trainers.trajectories import LabelledState
from trainers.value_trainer import Hardware

TWO = ValueTrainerSpec(processes=2, micro_batch=4, max_tokens=64, save_every=2)
SPEC = ValueSpec(trainer=TWO, epochs=4, batch_size=16, held_out=0.3, learning_rate=1e-2)
HERE = Hardware("cpu", 2)


def states(theorems: int = 24) -> list[LabelledState]:
    """A goal of n conjuncts is n tactics from its end."""
    found = []
    for number in range(theorems):
        for left in (1, 2, 3, 4):
            goal = f"h{number} : p\n⊢ {' ∧ '.join(['p'] * left)}"
            found.append(LabelledState(f"t{number}", f"t{number}", goal, left, "proof", "x", 0))
    return found


def train(backbone: Path, out: Path, spec: ValueSpec = SPEC, **more: Any) -> dict[str, Any]:
    told: list[tuple[int, int, dict[str, float]]] = []
    metrics = value_trainer.train(
        spec,
        states(),
        str(backbone),
        seed=0,
        where=HERE,
        out=out,
        progress=lambda done, total, figures: told.append((done, total, figures)),
        **more,
    )
    return {**metrics, "told": told}


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_causal_lm(tmp_path_factory.mktemp("backbone") / "tiny")


@pytest.fixture(scope="module")
def trained(backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("value") / "checkpoint"
    return out, train(backbone, out)


@pytest.mark.slow
def test_two_processes_learn_and_tell_every_step(trained: tuple[Path, dict[str, Any]]) -> None:
    out, metrics = trained
    assert metrics["bce"] < metrics["bce_constant"] and metrics["spearman"] > 0.6
    steps = [done for done, _, _ in metrics["told"]]
    assert steps == list(range(1, len(steps) + 1)) and metrics["told"][-1][1] == len(steps)
    assert set(metrics["told"][0][2]) == {"loss", "lr", "grad_norm"}
    assert not (out / "processes").exists() and (out / "calibration.svg").read_text().startswith("<svg")


@pytest.mark.slow
def test_it_is_a_classifier_as_a_server_wants_it_and_scores_as_it_was_measured(
    backbone: Path, trained: tuple[Path, dict[str, Any]]
) -> None:
    out, _ = trained
    config = json.loads((out / "config.json").read_text(encoding="utf-8"))
    assert config["architectures"] == ["LlamaForSequenceClassification"]
    assert config["problem_type"] == "multi_label_classification" and len(config["id2label"]) == 1
    assert config["pad_token_id"] == 0 != config["eos_token_id"]
    sealed = checkpoints.read(out, "value")
    assert sealed.prompt_format == STATE_FORMAT
    assert sealed.parent == checkpoints.weights_hash(backbone)
    scored = asyncio.run(
        open_trained(out, threads=1).score([ProofState((f"⊢ {' ∧ '.join(['p'] * n)}",)) for n in (1, 4)])
    )
    assert scored[0] > scored[1]


@pytest.mark.slow
def test_one_that_was_killed_goes_on_and_ends_with_the_same_weights(
    backbone: Path, trained: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    class Killed(Exception):
        pass

    def kill(done: int, total: int, figures: dict[str, float]) -> None:
        if done >= 7:
            raise Killed

    with pytest.raises(Killed):
        value_trainer.train(SPEC, states(), str(backbone), seed=0, where=HERE, out=tmp_path, progress=kill)
    left = value_trainer.latest(tmp_path.absolute() / "processes" / "on_the_way")
    assert left is not None
    metrics = train(backbone, tmp_path)
    # None where the processes had kept their last step before they were ended.
    assert [step for step, *_ in metrics["told"][:1]] in ([], [int(left.rpartition("-")[2]) + 1])
    assert checkpoints.read(tmp_path).weights == checkpoints.read(trained[0]).weights


@pytest.mark.slow
def test_one_pass_of_sixteen_has_the_gradient_of_two_processes_with_two_passes_of_four(
    backbone: Path, trained: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    one = TWO.model_copy(update={"processes": 1, "micro_batch": 16})
    spec = SPEC.model_copy(update={"trainer": one, "epochs": 1})
    alone = train(backbone, tmp_path, spec, before=trained[0])
    (_, _, mine), (_, _, theirs) = alone["told"][0], trained[1]["told"][0]
    assert (mine["loss"], mine["grad_norm"]) == pytest.approx((theirs["loss"], theirs["grad_norm"]), rel=1e-3)
    # The model of the round before is measured on the same held-out states.
    assert alone["spearman_before"] == trained[1]["spearman"] != alone["spearman"]


@pytest.mark.slow
def test_a_state_longer_than_the_backbone_reads_is_the_users_mistake(backbone: Path, tmp_path: Path) -> None:
    settings = dataclasses.replace(_settings(), backbone=str(backbone), max_tokens=5000)
    (tmp_path / "settings.json").write_text(json.dumps(dataclasses.asdict(settings)), encoding="utf-8")
    with pytest.raises(UserError, match=r"value\.trainer\.max_tokens: 5000 is beyond the backbone's 512"):
        value_process.main(tmp_path / "settings.json")


class Tokenizer:
    """As much of one as is asked."""

    def __init__(self, pad: str | None, words: tuple[str, ...]) -> None:
        self.pad_token, self.eos_token, self._words = pad, "<|eot|>", words
        self.padding_side, self.model_max_length = "left", 10**30

    def get_vocab(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self._words)}


@pytest.mark.parametrize(
    ("pad", "words", "chosen"),
    [
        (None, ("<unk>", "<|finetune_right_pad_id|>", "<|eot|>"), "<|finetune_right_pad_id|>"),
        ("<|eot|>", ("<|eot|>", "<unk>"), "<unk>"),
        ("<own>", ("<own>", "<unk>"), "<own>"),
    ],
)
def test_batches_are_never_filled_with_the_token_that_ends_texts(
    pad: str | None, words: tuple[str, ...], chosen: str
) -> None:
    settings = _settings()
    made = value_process.prepared(Tokenizer(pad, words), settings)
    assert (made.pad_token, made.padding_side, made.model_max_length) == (chosen, "right", 64)


def test_a_tokenizer_without_such_a_token_is_refused() -> None:
    with pytest.raises(UserError, match=r"value\.backbone: model: its tokenizer has no token"):
        value_process.prepared(Tokenizer(None, ("<|eot|>",)), _settings())


def _settings() -> value_process.ProcessSettings:
    run = Path("run")
    return value_trainer._settings(SPEC, "model", 0, HERE, run, run)


def test_what_is_cut_is_never_the_goal_and_the_first_token_stays() -> None:
    class Words:
        """A word a token, after a token that begins every text."""

        model_max_length = 10**30

        def __call__(self, text: str, verbose: bool) -> Any:
            return SimpleNamespace(input_ids=[0, *range(1, len(text.split()) + 1)])

    made = Words()
    state = "\n".join(f"h{n} : p" for n in range(30)) + "\n⊢ q ∧ r\n\nh : s\n⊢ s"
    reader = Reader(made, 12)
    assert "⊢ q ∧ r" in reader.fitted(state) and "h29" not in reader.fitted("⊢ q")
    ids = reader.ids(state)
    assert ids[0] == 0 and len(ids) <= 12
    assert Reader(made, 100).fitted("⊢ q") == "⊢ q"


def test_passes_that_do_not_add_up_to_a_batch_are_refused() -> None:
    with pytest.raises(ValueError, match="make it a multiple of 8"):
        ValueSpec(trainer=TWO, batch_size=12)


def test_special_tokens_of_the_tiny_model_are_those_expected() -> None:
    assert SPECIAL[0] == "<|pad|>" and SPECIAL[0] in value_process.PADDING
