"""The mixture that search ranks by."""

import math
from itertools import pairwise

import pytest

from harness.errors import SpecError
from harness.provers.best_first import SearchSpec
from harness.provers.priority import Ranking


def ranking(gamma=0.95, **settings):
    return Ranking.of(SearchSpec(**settings), gamma)


def test_scales_of_the_log_probability():
    assert ranking(alpha=1.0).priority(-6.0, 4, None) == -6.0
    assert ranking(alpha=1.0, logprob_scale="mean").priority(-6.0, 4, None) == -1.5
    assert ranking(alpha=1.0, logprob_scale="length", length_exponent=0.5).priority(-6.0, 4, None) == -3.0


def test_distance_is_minus_the_tactics_left():
    for left in range(1, 9):
        assert ranking(alpha=0.0).priority(-5.0, 3, 0.95**left) == pytest.approx(-left)
        assert ranking(alpha=0.0, gamma=0.5).priority(-5.0, 3, 0.5**left) == pytest.approx(-left)


def test_raw_value_is_itself():
    assert ranking(alpha=0.0, value_scale="value").priority(-5.0, 3, 0.7) == 0.7


def test_priority_is_linear_between_its_two_ends():
    whole, none = ranking(alpha=1.0), ranking(alpha=0.0)
    for alpha in (0.1, 0.25, 0.5, 0.9):
        expected = alpha * whole.priority(-4.0, 2, 0.8) + (1 - alpha) * none.priority(-4.0, 2, 0.8)
        assert ranking(alpha=alpha).priority(-4.0, 2, 0.8) == pytest.approx(expected, abs=2e-4)


def test_greater_value_never_lowers_priority():
    for alpha in (0.0, 0.3, 0.9):
        for scale in ("value", "distance"):
            found = [ranking(alpha=alpha, value_scale=scale).priority(-1.0, 1, v / 10) for v in range(11)]
            assert all(low <= high for low, high in pairwise(found))


def test_alpha_one_needs_no_value_and_alpha_below_one_does():
    assert math.isfinite(ranking(alpha=1.0, gamma=None).priority(-1.0, 1, None))
    with pytest.raises(ValueError, match="needs the value"):
        ranking(alpha=0.5).priority(-1.0, 1, None)


def test_value_zero_stays_finite():
    assert math.isfinite(ranking(alpha=0.5).priority(-1.0, 1, 0.0))


@pytest.mark.parametrize("gamma", [1.0, None])
def test_distance_without_a_usable_gamma_is_the_users_mistake(gamma):
    with pytest.raises(SpecError, match=r"set search\.value_scale: value"):
        ranking(gamma=gamma)
    ranking(gamma=gamma, value_scale="value")
    ranking(gamma=gamma, alpha=1.0)


def test_progress_is_the_share_of_the_tactics_done():
    scale = {"value_scale": "progress", "progress_steps": 10}
    for left, share in ((1, 0.9), (5, 0.5), (30, 0.0)):
        assert ranking(alpha=0.0, **scale).priority(-5.0, 3, 0.95**left) == pytest.approx(share, abs=1e-4)
    with pytest.raises(SpecError, match="progress needs the gamma"):
        ranking(gamma=None, **scale)


def test_settings_without_effect_are_in_no_digest():
    assert "progress_steps" not in SearchSpec().model_dump(mode="json")
    assert {"tokens", "at_once", "proof"} & set(SearchSpec().model_dump(mode="json")) == set()
    assert SearchSpec(tokens=4096).model_dump(mode="json")["tokens"] == 4096
