"""Generators that answer by the prompts of others: what they can be asked, and that they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness import checkpoints
from harness.cli import main
from harness.errors import SpecError, UserError
from harness.experiment.adoption import ready
from harness.experiment.asking import misasked
from harness.experiment.plan import Model, existing
from harness.prompts.registry import family
from harness.records.journal import read_rows
from harness.serving import hub
from tests.tiny_models import make_causal_lm, offline_hub
from tests.trainers.openrlhf.making import changed

SEARCH = {"name": "search", "prover": "best_first", "problems": {"benchmark": "smoke", "split": "test"}}
WHOLE = {**SEARCH, "name": "whole", "prover": "whole_proof"}
RESUMED = "deepseek-prover-v2-resumed"


def lines(name: str, trains: bool = True, **changes: Any) -> list[str]:
    trained = {"target": "scalar", "processes": 1}
    base: dict[str, Any] = {
        "generator.prompt": name,
        "evaluations": [SEARCH, WHOLE],
        "value.trainer": trained,
    }
    spec = changed({**base, **{key.replace("__", "."): value for key, value in changes.items()}})
    return list(misasked(spec, spec.evaluations, trains))


def test_what_a_family_does_not_write_is_told_with_the_key() -> None:
    assert lines(RESUMED) == []
    [search, trajectories] = lines("deepseek-prover-v2")
    assert search.startswith("evaluations.search.prover: best_first asks for tactics")
    assert trajectories.startswith("trajectories: a search asks for tactics")
    assert lines("deepseek-prover-v2", trajectories__samples=8) == [search]
    [whole, grpo, *_] = lines("bfs-prover")
    assert whole.startswith("evaluations.whole.prover: whole_proof asks for whole proofs")
    assert grpo.startswith("improve.method: grpo rewards whole proofs")
    assert lines("bfs-prover", trains=False) == [whole]
    [_, samples, *_] = lines("bfs-prover", trajectories__samples=8)
    assert samples.startswith("trajectories.samples: asks for whole proofs, which bfs-prover does not write")


def test_what_trains_by_other_prompts_is_told() -> None:
    [template] = lines(RESUMED, improve__openrlhf__chat_template=False)
    assert template.startswith("improve.openrlhf.chat_template: ") and template.endswith("set it to true")
    [bonus] = lines(RESUMED, improve__openrlhf__value_bonus=0.1)
    assert bonus.startswith("improve.openrlhf.value_bonus: ")
    [local] = lines(RESUMED, improve__backend="local")
    assert local.startswith("improve.method: grpo in this process trains by the harness's own prompts")
    [value] = lines(RESUMED, value__trainer=None)
    assert value.startswith("value.trainer: missing")
    assert lines(RESUMED, improve__method="none") == []
    assert lines(RESUMED, improve__method="expert_iteration", improve__openrlhf__chat_template=False) == []
    [local] = lines(RESUMED, improve__method="expert_iteration", improve__backend="local")
    assert local.startswith("improve.method: expert_iteration in this process trains by the harness's own")
    told = lines("bfs-prover", improve__method="expert_iteration")
    assert any(line.startswith("improve.method: expert_iteration teaches whole proofs") for line in told)


def test_a_prompt_needs_a_checkpoint_and_a_known_family() -> None:
    with pytest.raises(SpecError, match=r"generator.*prompt: a generator made here"):
        changed({"generator.checkpoint": None, "generator.prompt": RESUMED})
    with pytest.raises(SpecError, match="no family 'deepseek-prover-v3'"):
        changed({"generator.prompt": "deepseek-prover-v3"})


def test_a_name_on_the_hub_is_fetched_and_adopted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "a" * 40
    snapshots = offline_hub(monkeypatch, tmp_path, "org/prover", {"main": commit})
    model = existing("org/prover", may_be_remote=True)
    assert model.on_hub == ("org/prover", commit)
    with pytest.raises(UserError, match=r"lacks tokenizer\.json"):
        ready(model, tmp_path / "runs")
    make_causal_lm(snapshots / commit)
    folder = ready(model, tmp_path / "runs")
    assert folder == tmp_path / "runs" / "checkpoints" / "org--prover-aaaaaaaaaaaa"
    sealed = checkpoints.intact(folder, "generator")
    assert (folder / "model.safetensors").is_symlink()
    monkeypatch.delattr(hub, "snapshot")  # what is adopted is not fetched again
    assert ready(model, tmp_path / "runs") == folder and checkpoints.read(folder) == sealed


def test_a_name_of_which_nobody_tells_the_commit_cannot_be_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offline_hub(monkeypatch, tmp_path, "org/other", {"main": "b" * 40})
    model = existing("org/prover", may_be_remote=True)
    with pytest.raises(UserError, match=r"generator\.checkpoint: 'org/prover' is no folder here"):
        ready(model, tmp_path / "runs")


def test_a_checkpoint_that_is_there_is_ready(tmp_path: Path) -> None:
    assert ready(Model("d", path=tmp_path), tmp_path / "runs") == tmp_path


def experiment(folder: Path, **changes: Any) -> str:
    data: dict[str, Any] = {
        "name": "asked",
        "lean": {"service": "core"},
        "train": {"benchmark": "core-curriculum", "split": "train"},
        "rounds": 0,
        "generator": {"checkpoint": str(folder), **changes},
        "search": {"alpha": 1.0, "expansions": 2, "tactic_calls": 4},
        "whole_proof": {"max_new_tokens": 8},
        "evaluations": [
            {**SEARCH, "problems": {**SEARCH["problems"], "limit": 2}},
            {**WHOLE, "problems": {**WHOLE["problems"], "limit": 2}},
        ],
        "tracking": {"wandb": "off"},
        "runtime": {"threads": 1, "canaries": 0},
    }
    return json.dumps(data)


def test_an_adopted_generator_is_measured_by_the_prompts_of_its_family(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_causal_lm(tmp_path / "plain", context=1024)
    assert main(["adopt", str(folder)]) == 0
    assert "generator.prompt" in capsys.readouterr().out
    file = tmp_path / "asked.yaml"
    file.write_text(experiment(folder))
    assert main(["run", str(file), "--runs", str(tmp_path / "runs"), "--plain"]) == 2
    assert "name its family in generator.prompt" in capsys.readouterr().err
    file.write_text(experiment(folder, prompt=RESUMED))
    assert main(["run", str(file), "--runs", str(tmp_path / "runs"), "--plain"]) == 0
    for name in ("search", "whole"):
        [run] = (tmp_path / "runs").glob(f"asked.{name}-*")
        spec = json.loads((run / "spec.json").read_text())
        assert spec["generator"]["prompt"] == RESUMED
        assert family(RESUMED).digest in spec["harness"]["prompt_format"]
        records = [row for _, row in read_rows(run / "records.jsonl")]
        assert len(records) == 2 and all(row["attempt"]["usage"]["prompt_tokens"] > 50 for row in records)
