"""Every status has its reward."""

from __future__ import annotations

from harness.types import Status, Verdict
from trainers.reward import reward


def test_reward_of_each_status() -> None:
    assert {status: reward(Verdict(status, "ok")) for status in Status} == {
        Status.PROVED: 1.0,
        Status.REJECTED: 0.0,
        Status.TIMEOUT: 0.0,
        Status.INFRA: None,
    }
