"""Every status has its reward."""

from __future__ import annotations

import pytest

from harness.types import Problem, Status, Verdict
from trainers.reward import reward, shaped


def test_reward_of_each_status() -> None:
    assert {status: reward(Verdict(status, "ok")) for status in Status} == {
        Status.PROVED: 1.0,
        Status.REJECTED: 0.0,
        Status.TIMEOUT: 0.0,
        Status.INFRA: None,
    }


PROBLEM = Problem("p", "smoke", "test", "", "theorem t : True", "t")
FAILED, PROVED = Verdict(Status.REJECTED, "error"), Verdict(Status.PROVED, "ok")


@pytest.mark.parametrize(
    ("text", "has_lean"),
    [
        ("", False),
        ("   \n", False),
        ("<think>the proof is", False),
        ("```python\nprint(1)\n```", False),
        ("```lean4\ntheorem t : True := by\n  simp\n```", True),
        ("nonsense", True),
    ],
)
def test_format_shaping_lowers_failures_without_lean_and_nothing_else(text: str, has_lean: bool) -> None:
    for penalty in (0.0, 0.25, 1.0):
        assert shaped(PROVED, PROBLEM, text, penalty) == 1.0
        assert shaped(Verdict(Status.INFRA, "service"), PROBLEM, text, penalty) is None
        for status in (Status.REJECTED, Status.TIMEOUT):
            assert shaped(Verdict(status, "x"), PROBLEM, text, penalty) == (0.0 if has_lean else -penalty)
