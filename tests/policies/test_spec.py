"""Settings of policies and value models from outside: what is refused, what makes two of them the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from harness.errors import UserError
from harness.policies import spec as policies
from harness.policies.spec import PolicySpec, ServerPolicySpec, TransformersPolicySpec
from harness.prompts.registry import family
from harness.values import spec as values
from harness.values.spec import ClassifierValueSpec, ServerValueSpec
from tests.tiny_models import make_causal_lm, make_classifier

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


def test_a_folder_is_known_by_what_it_holds_and_a_hub_name_by_its_revision(tmp_path: Path) -> None:
    folder = make_causal_lm(tmp_path / "model")
    asked = TransformersPolicySpec(model=str(folder), prompt="bfs-prover")
    before = policies.identity(asked)["revision"]
    assert before.startswith("sha256:") and policies.identity(asked)["revision"] == before
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"rms_norm_eps": 1e-06', '"rms_norm_eps": 1e-05'))
    assert policies.identity(asked)["revision"] != before
    named = TransformersPolicySpec(model="org/prover", prompt="bfs-prover")
    with pytest.raises(UserError, match=r"policy\.revision: 'org/prover' is no folder here"):
        policies.identity(named)
    with pytest.raises(UserError, match="holds no weights"):
        policies.identity(named.model_copy(update={"model": str(tmp_path)}))
    assert policies.identity(named.model_copy(update={"revision": "abc"}))["revision"] == "abc"


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
