"""LocalValue against the classifier of transformers, alone and in batches, and with long states."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path

import pytest
import torch

from harness import checkpoints
from harness.errors import BadReply, UserError
from harness.prompts import embedded
from harness.types import ProofState
from harness.values.local import LocalValue
from tests.conftest import Trained
from tests.toy_logic import state_of


@pytest.fixture(scope="module")
def checkpoint(generator: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import LlamaForSequenceClassification

    path = tmp_path_factory.mktemp("value") / "checkpoint"
    torch.manual_seed(0)
    model = LlamaForSequenceClassification.from_pretrained(generator.path, num_labels=1, pad_token_id=0)
    model.save_pretrained(path)
    (path / "tokenizer.json").write_bytes((generator.path / "tokenizer.json").read_bytes())
    checkpoints.seal(path, "value", prompt_format=embedded.FORMAT, parent=generator.path, metrics={})
    return path


def states(generator: Trained) -> list[ProofState]:
    goals = list(generator.world.goals.values())
    return [state_of(tuple(goals[n : n + 1 + n % 3])) for n in range(64)]


def score(value: LocalValue, asked: list[ProofState]) -> list[float]:
    return asyncio.run(value.score(asked))


def test_values_are_the_sigmoid_of_the_classifiers_logit(generator: Trained, checkpoint: Path) -> None:
    from transformers import LlamaForSequenceClassification

    model = LlamaForSequenceClassification.from_pretrained(checkpoint).double().eval()
    tokenizer = embedded.load_tokenizer(checkpoint)
    asked = states(generator)[:6]
    for state, found in zip(asked, score(LocalValue.load(checkpoint, threads=1), asked), strict=True):
        ids = tokenizer.encode(embedded.value_prompt(state.goals)).ids
        with torch.no_grad():
            logit = model(torch.tensor([ids])).logits[0, 0]
        assert found == pytest.approx(float(torch.sigmoid(logit)), abs=2e-6)


def test_a_state_alone_and_in_a_batch_of_64(generator: Trained, checkpoint: Path) -> None:
    asked = states(generator)
    together = score(LocalValue.load(checkpoint, threads=1), asked)
    assert [score(LocalValue.load(checkpoint, threads=1), [state])[0] for state in asked] == together
    assert all(0 <= found <= 1 for found in together) and len(set(together)) > 30


def test_asked_twice_computed_once(generator: Trained, checkpoint: Path) -> None:
    value = LocalValue.load(checkpoint, threads=1)
    asked = states(generator)[:4]
    first = score(value, asked)
    del value._model
    assert score(value, asked[::-1]) == first[::-1]
    assert score(value, []) == []


def test_a_long_state_keeps_its_goal(generator: Trained, checkpoint: Path) -> None:
    value = LocalValue.load(checkpoint, threads=1)
    goals = ["\n".join([*(f"h{n} : P ∧ (Q → R)" for n in range(80)), f"⊢ {end}"]) for end in ("P", "Q ∨ R")]
    first, second = score(value, [ProofState((goals[0],)), ProofState((goals[1],))])
    assert first != second


def test_the_other_kind_and_other_formats_are_refused(generator: Trained, checkpoint: Path) -> None:
    with pytest.raises(UserError, match="holds a generator model where a value is needed"):
        LocalValue.load(generator.path, threads=1)
    sealed = checkpoint / checkpoints.SEAL
    text = sealed.read_text(encoding="utf-8")
    try:
        sealed.write_text(json.dumps({**json.loads(text), "prompt_format": "old"}), encoding="utf-8")
        with pytest.raises(UserError, match="trained with prompt format old"):
            LocalValue.load(checkpoint, threads=1)
    finally:
        sealed.write_text(text, encoding="utf-8")


def test_a_model_that_diverged_gives_no_value(generator: Trained, checkpoint: Path) -> None:
    value = LocalValue.load(checkpoint, threads=1)
    with torch.inference_mode():
        value._model._score.mul_(math.nan)
    with pytest.raises(BadReply, match="nan"):
        score(value, states(generator)[:2])
