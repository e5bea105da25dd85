"""Which runs are seeds of one setting."""

from __future__ import annotations

from typing import Any

from harness.analysis.settings import setting


def given(files: str, **changes: Any) -> dict[str, Any]:
    generator = {"digest": files, "warm_start": files, "rounds": 0, "prompt": "stp"}
    return {"seed": 0, "search": {"alpha": 1.0}, "generator": {**generator, **changes}}


def test_two_given_generators_are_two_settings_whatever_they_are_asked_by() -> None:
    assert setting(given("a")) != setting(given("b"))
    assert setting(given("a")) == setting({**given("a"), "seed": 1})
    assert setting(given("a")) != setting(given("a", served="vllm"))


def test_what_seeds_train_of_one_given_generator_is_one_setting() -> None:
    one = given("a", digest="trained", rounds=2, weights="w")
    assert setting(one) == setting({**given("a", digest="other", rounds=2, weights="v"), "seed": 1})
    assert setting(one) != setting(given("b", digest="trained", rounds=2, weights="w"))


def test_what_is_made_here_differs_by_seed_in_all_its_weights() -> None:
    one = given("a", hidden_size=96)
    assert setting(one) == setting({**given("b", hidden_size=96), "seed": 1})
    assert setting(one) != setting(given("a", hidden_size=48))
