"""Where models compute: the setting, and that the CPU's results and names do not know of it."""

from __future__ import annotations

import pytest

from harness import devices
from harness.errors import UserError
from harness.experiment.plan import compute, plan
from harness.experiment.spec import ExperimentSpec, build
from harness.nested import override
from tests.test_spec import MINIMAL


def spec(**changes: object) -> ExperimentSpec:
    data = MINIMAL
    for key, value in changes.items():
        data = override(data, key.replace("__", "."), value)
    return build(data, "tiny.yaml")


def test_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert (devices.resolve("cpu"), devices.resolve("auto")) == ("cpu", "cpu")
    with pytest.raises(UserError, match=r"runtime\.device: torch sees no GPU here; set it to cpu or auto"):
        devices.resolve("cuda")


def test_with_a_gpu_stages_carry_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert (devices.resolve("cpu"), devices.resolve("auto")) == ("cpu", "cuda")
    assert compute(spec(runtime__device="cpu").runtime) == {"threads": 2}
    assert compute(spec(runtime__device="auto").runtime) == {"threads": 2, "device": "cuda"}


def test_settings_of_a_gpu_leave_older_keys_alone() -> None:
    (plain,) = (item.improve for item in plan(spec()).rounds)
    assert plain is not None
    assert {"bf16", "accumulation", "openrlhf", "value"}.isdisjoint(plain.inputs)
    (other,) = (item.improve for item in plan(spec(improve__accumulation=2)).rounds)
    assert other is not None
    assert dict(other.inputs) == {**plain.inputs, "accumulation": 2}


def test_the_value_model_is_part_of_a_reward_that_asks_it() -> None:
    made = plan(spec(improve={"backend": "openrlhf", "openrlhf": {"value_bonus": 0.1}}))
    (item,) = made.rounds
    assert item.improve is not None and item.improve.inputs["value"] == item.value.digest
    kinds = [key.stage for _, key in made.needed([made.trained])]
    assert kinds == ["generator", "trajectories", "value", "grpo"]
    without = plan(spec(improve={"backend": "openrlhf"}))
    assert [key.stage for _, key in without.needed([without.trained])] == ["generator", "grpo"]
