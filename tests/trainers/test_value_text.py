"""The argument list of a value model that writes numbers, and the texts that it is trained on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import SpecError
from harness.experiment.exclusions import check_settings
from harness.experiment.node import ValueTrainerSpec
from harness.experiment.spec import ValueSpec
from harness.values.served import StepsLeft
from tests.trainers.openrlhf import contract
from tests.trainers.openrlhf.making import changed
from trainers import labelled, value_text
from trainers.openrlhf import supervised
from trainers.trajectories import LabelledState

HOW = ValueTrainerSpec(target="text", processes=8, micro_batch=8, save_every=50)
SPEC = ValueSpec(trainer=HOW, epochs=3, batch_size=128, learning_rate=2e-5)
LAYOUT = value_text.planned(SPEC, Path("/runs/x"), "/models/llama", rows=12_800, seed=7)

TOLD = """
--model.model_name_or_path /models/llama --data.dataset /runs/x/rows.jsonl --data.input_key prompt
--data.output_key label --data.input_template {} --data.max_len 1024 --data.max_samples 12800
--train.batch_size 128 --train.micro_batch_size 8 --train.max_epochs 3 --train.seed 7
--adam.lr 2e-05 --adam.betas 0.9 0.98 --adam.weight_decay 0.01 --lr_scheduler cosine
--lr_warmup_ratio 0.0333 --max_norm 1.0 --ds.zero_stage 2 --ds.param_dtype bf16
--ds.attn_implementation sdpa --ckpt.path /runs/x/ckpt --ckpt.output_dir /runs/x/final
--ckpt.save_steps 50 --ckpt.max_num 2
"""


def test_it_is_torchrun_of_eight_with_these_words() -> None:
    made = supervised.process(LAYOUT)
    assert made.argv[1:4] == ("-m", "torch.distributed.run", "--standalone")
    assert made.argv[4:7] == ("--nproc-per-node=8", "-m", "openrlhf.cli.train_sft")
    assert list(made.argv[7:]) == TOLD.split() and made.gpus == tuple(range(8))


@pytest.mark.skipif(contract.package() is None, reason=f"{contract.VARIABLE} names no wheel")
def test_the_wheels_own_parser_takes_them() -> None:
    folder = contract.package()
    assert folder is not None
    resumed = replace(LAYOUT, resume=True)
    taken = contract.accepted(folder, "train_sft", supervised.arguments(resumed))
    assert taken.data.input_template == "{}" and taken.ckpt.load_enable is True


def test_texts_end_where_the_number_is_asked_for() -> None:
    state = LabelledState("t", "t", "h : p\n⊢ p\n\n⊢ q", 3, "proof", "x", 0)
    [line] = value_text._lines([labelled.LabelledRow(state, 0.9)])
    row = json.loads(line)
    asked = StepsLeft(value_text.TEMPLATE, 0.95).template.replace("{state}", state.state)
    assert row == {"prompt": asked, "label": "3"} and asked.endswith("Steps left: ")


def test_no_search_may_ask_it_in_process() -> None:
    trainer = {"target": "text"}
    search = [{"name": "search", "prover": "best_first", "problems": {"benchmark": "smoke", "split": "test"}}]
    with pytest.raises(SpecError, match=r"value\.trainer\.target: search asks the value model"):
        check_settings(changed({"value.trainer": trainer, "evaluations": search}))
    check_settings(changed({"value.trainer": trainer}))
