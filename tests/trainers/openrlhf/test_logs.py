"""OpenRLHF's lines as curves, and what raises an alarm."""

from __future__ import annotations

import math

import pytest

from trainers.openrlhf import logs
from trainers.openrlhf.logs import Alarm, LoggedEvaluation, LoggedStep

LINE = (
    "\x1b[36m(PPOTrainer pid=4711, ip=10.0.0.2)\x1b[0m INFO 11-26 10:00:00 ppo_trainer.py:512] "
    "✨ Global step 12: {'policy_loss': -0.003, 'actor_grad_norm': nan, 'kl': 1e-05, 'nan_name': -inf, "
    "'rollout/reward_mean': 0.25, 'rollout/truncated_rate': 0.125, 'timing/generation': 12.5, 'text': 'inf'}"
)


def test_a_step_is_read_through_colours_names_and_nan() -> None:
    step = logs.read(LINE)
    assert isinstance(step, LoggedStep)
    assert step.number == 12
    assert step.figures["reward"] == 0.25
    assert step.figures["generation_s"] == 12.5
    assert math.isnan(step.figures["grad_norm"])
    assert "text" not in step.figures


def test_an_evaluation_is_read() -> None:
    line = "✨ Evaluation completed in 0:00:03, global_step 20, eval_metrics: {'eval_default_pass1': 0.11}"
    assert logs.read(line) == LoggedEvaluation(20, {"eval_default_pass1": 0.11})


def test_a_bar_of_supervised_training_is_read_once_it_has_figures() -> None:
    bar = "Train step of epoch 0:  33%|███▎      | 4/12 [00:00<00:01, 26.12it/s"
    told = logs.read(f"{bar}, gpt_loss=7.13, lr=9.05e-5, grad_norm=nan]\x1b[A")
    assert isinstance(told, LoggedStep) and told.number == 4
    assert {name: told.figures[name] for name in ("loss", "lr", "of")} == {
        "loss": 7.13,
        "lr": 9.05e-5,
        "of": 12.0,
    }
    assert "step 4: grad_norm is nan" in str(Alarm().raised(told))
    assert logs.read(f"{bar}]") is None


@pytest.mark.parametrize("line", ["", "Global step 3: {broken", "Global step 3: {f(x)}", "a step of 3"])
def test_other_lines_are_none_or_empty(line: str) -> None:
    found = logs.read(line)
    assert found is None or not found.figures


@pytest.mark.parametrize("line", ["Generate samples:  12%|█ | 2/16", "Train epoch [1/1]: 50%"])
def test_bars_within_a_step_show_that_work_goes_on(line: str) -> None:
    assert logs.busy(line)
    assert not logs.busy("(raylet) waiting for resources")


def test_the_reason_is_the_last_error_told() -> None:
    lines = [
        "Traceback (most recent call last):",
        "ValueError: first",
        "torch.OutOfMemoryError: CUDA",
        "",
        "bye",
    ]
    assert logs.reason(lines) == "torch.OutOfMemoryError: CUDA"
    assert logs.reason(["ray.exceptions.RayTaskError: x"]) == "ray.exceptions.RayTaskError: x"
    wrapped = ["[rank0]: AssertionError: one", "torch.distributed.elastic.errors.ChildFailedError: x"]
    assert logs.reason(wrapped) == "AssertionError: one"
    assert logs.reason(["starting", "stopped"]) == "stopped"
    assert logs.reason([]) == "it printed nothing"


@pytest.mark.parametrize("name", logs.FINITE)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_must_be_finite(name: str, value: float) -> None:
    assert f"step 3: {name} is {value}" in str(Alarm().raised(LoggedStep(3, {name: value})))


@pytest.mark.parametrize(
    ("figures", "told"),
    [
        ({"truncated": 1.0}, "every proof was cut"),
        ({"response_length": 1.0}, "every proof was empty"),
        ({"entropy": 0.0}, "the entropy was zero"),
    ],
)
def test_collapse_has_to_last(figures: dict[str, float], told: str) -> None:
    alarm = Alarm()
    healthy = LoggedStep(0, {"truncated": 0.5, "response_length": 20.0, "entropy": 0.7})
    for number in range(1, logs.COLLAPSE_STEPS):
        assert alarm.raised(LoggedStep(number, figures)) is None
    assert alarm.raised(healthy) is None
    for number in range(1, logs.COLLAPSE_STEPS):
        assert alarm.raised(LoggedStep(number, figures)) is None
    assert told in str(alarm.raised(LoggedStep(9, figures)))
