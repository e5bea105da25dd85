"""Settings of policies and value models from outside: what is refused, what makes two of them the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from harness.errors import UserError
from harness.policies import spec as policies
from harness.policies.opening import ComputePlace, open_policy
from harness.policies.spec import PolicySpec, ServerPolicySpec, TransformersPolicySpec
from harness.prompts.registry import family
from harness.serving.weights import UNKNOWN, check_served, revision_of
from harness.values import spec as values
from harness.values.spec import ClassifierValueSpec, ServerValueSpec
from tests.tiny_models import make_causal_lm, make_classifier, offline_hub

SERVER: dict[str, Any] = {
    "kind": "server",
    "urls": ("http://127.0.0.1:8000",),
    "model": "prover",
    "revision": "abc",
    "prompt": "kimina-prover",
}


def test_where_a_policy_runs_is_no_part_of_its_identity() -> None:
    one = policies.identity(ServerPolicySpec(**SERVER))
    other = SERVER | {"urls": ("http://a:1", "http://b:2"), "in_flight": 3, "wait_s": 1.0, "timeout_s": 2.0}
    assert policies.identity(ServerPolicySpec(**other)) == one
    assert one["prompt_digest"] == family("kimina-prover").digest
    for change in ({"revision": "def"}, {"model": "x"}, {"prompt": "stp"}, {"dialect": "sglang"}):
        assert policies.identity(ServerPolicySpec(**SERVER | change)) != one


def test_a_folder_is_known_by_what_it_holds(tmp_path: Path) -> None:
    folder = make_causal_lm(tmp_path / "model")
    asked = TransformersPolicySpec(model=str(folder), prompt="bfs-prover")
    before = policies.identity(asked)["revision"]
    assert before.startswith("sha256:") and policies.identity(asked)["revision"] == before
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"rms_norm_eps": 1e-06', '"rms_norm_eps": 1e-05'))
    assert policies.identity(asked)["revision"] != before
    with pytest.raises(UserError, match="holds no weights"):
        policies.identity(asked.model_copy(update={"model": str(tmp_path)}))


def test_a_hub_name_is_known_by_the_commit_that_its_branch_stands_for_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offline_hub(monkeypatch, tmp_path, "org/prover", {"main": "a" * 40, "v2": "b" * 40})
    named = TransformersPolicySpec(model="org/prover", prompt="bfs-prover")

    def revision(stated: str | None) -> Any:
        return policies.identity(named.model_copy(update={"revision": stated}))["revision"]

    assert revision(None) == revision("main") == "a" * 40
    assert revision("v2") == revision("b" * 40) == "b" * 40
    assert revision("c" * 40) == "c" * 40, "a commit needs no look-up"
    with pytest.raises(UserError, match=r"policy\.revision: 'org/prover' is no folder here, and neither"):
        revision("v3")


def test_a_hub_name_is_loaded_at_the_commit_that_was_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str | None] = []

    class Recorded:
        def __init__(self, name: str, revision: str | None, **_: Any) -> None:
            loaded.append(revision)

    monkeypatch.setattr("harness.policies.hugging_face.LanguageModel", Recorded)
    offline_hub(monkeypatch, tmp_path, "org/prover", {"main": "a" * 40})
    for model in ("org/prover", str(make_causal_lm(tmp_path / "model"))):
        open_policy(TransformersPolicySpec(model=model, prompt="bfs-prover"), ComputePlace())
    assert loaded == ["a" * 40, None]


def test_a_served_model_without_a_revision_says_so() -> None:
    unstated = ServerPolicySpec(**SERVER | {"revision": None})
    assert policies.identity(unstated)["revision"] == UNKNOWN
    assert values.identity(ServerValueSpec(urls=("http://a",), model="judge"))["revision"] == UNKNOWN


def test_a_stated_revision_is_held_against_the_folder_that_is_served(tmp_path: Path) -> None:
    snapshot = {"id": "prover", "root": f"/cache/models--org--prover/snapshots/{'a' * 40}"}
    check_served(snapshot, "a" * 40, "policy")
    check_served(snapshot, "my-weights", "policy")
    check_served({"id": "prover"}, "a" * 40, "policy")
    with pytest.raises(UserError, match=rf"policy\.revision: {'b' * 40} is stated and {'a' * 40} is served"):
        check_served(snapshot, "b" * 40, "policy")
    folder = make_causal_lm(tmp_path / "model")
    check_served({"root": str(folder)}, revision_of(str(folder), None), "policy")
    with pytest.raises(UserError, match="sha256:0 is stated and sha256:"):
        check_served({"root": str(folder)}, "sha256:0", "policy")


def test_an_unknown_family_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValidationError, match="did you mean 'kimina-prover'"):
        TypeAdapter(PolicySpec).validate_python(SERVER | {"prompt": "kimina"})


def test_a_served_value_with_its_checkpoint_is_known_by_it(tmp_path: Path) -> None:
    folder = make_classifier(tmp_path / "judge")
    served = ServerValueSpec(urls=("http://a",), model="judge", checkpoint=str(folder))
    here = ClassifierValueSpec(checkpoint=str(folder))
    assert values.identity(served)["revision"] == values.identity(here)["revision"]
    unproven = ServerValueSpec(urls=("http://a",), model="judge", revision="r1")
    assert values.identity(unproven)["revision"] == "r1"
