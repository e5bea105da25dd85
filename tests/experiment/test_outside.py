"""Models that are not trained here, from the command line to the records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness import extras
from harness.benchmarks.loading import load
from harness.cli import main
from harness.errors import SpecError
from harness.experiment import files
from harness.experiment.files import Overrides, Setting
from harness.prompts.registry import family
from harness.records.journal import read_rows
from harness.types import Record, Status
from tests.serving.double import Reply, completions, in_thread, models
from tests.tiny_models import make_causal_lm, make_classifier, offline_hub

SMOKE = load("smoke")


def gold(path: str, body: Any) -> Reply:
    """Answers every problem of the smoke benchmark with its gold proof, canaries with nonsense."""
    if path == "/v1/models":
        return models("prover", length=4096)
    found = [item.gold or "" for item in SMOKE if f"theorem {item.theorem} " in body["prompt"]]
    return Reply(completions([found[0] if found else "exact nonsense"] * body["n"]))


def evaluate(runs: Path, *options: str) -> int:
    common = ["--benchmark", "smoke", "--lean", "core", "--plain", "--runs", str(runs)]
    quiet = ["--set", "tracking.wandb=off"]
    quiet += ["--set", "policy.wait_s=0"] if "--server" in options else []
    return main(["eval", *options, *common, *quiet])


def only_run(runs: Path) -> tuple[dict[str, Any], list[Record]]:
    [folder] = [path for path in runs.iterdir() if (path / "records.jsonl").is_file()]
    return json.loads((folder / "spec.json").read_text()), [
        Record.from_json(row) for _, row in read_rows(folder / "records.jsonl")
    ]


def test_one_line_measures_a_served_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with in_thread(gold) as double:
        options = ["--server", double.url, "--model", "prover", "--revision", "r1", "--prompt", "stp"]
        options += ["--samples", "2", "-k", "1", "-k", "2"]
        assert evaluate(tmp_path, *options) == 0
        told = capsys.readouterr().err
        assert "ktokens" in told and "policy.revision" not in told
        spec, records = only_run(tmp_path)
        assert spec["generator"]["revision"] == "r1"
        assert spec["generator"]["prompt_digest"] == family("stp").digest
        assert spec["whole_proof"]["temperature"] == 0.7, "as its authors decode"
        assert "urls" not in json.dumps(spec)
        proved = [item for item in records if item.verdict.status is Status.PROVED]
        assert {item.problem_id for item in proved} == {item.id for item in SMOKE}
        assert all(item.attempt.logprob is not None and item.attempt.origin for item in proved)
        asked = len(double.asked)
        assert evaluate(tmp_path, *options) == 0, "the records are there"
        assert all(path == "/v1/models" for path, _ in double.asked[asked:])
        assert evaluate(tmp_path, *options, "--revision", "r2") == 0
        assert len(list(tmp_path.glob("served.eval-*"))) == 2, "other weights are another run"


def test_a_served_model_needs_no_extra_for_models_in_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras, "missing", lambda extra: ["torch"] if extra == "local" else [])
    with in_thread(gold) as double:
        served = ["--server", double.url, "--model", "prover", "--revision", "r1", "--prompt", "stp"]
        assert evaluate(tmp_path, *served) == 0, capsys.readouterr().err
    folder = make_causal_lm(tmp_path / "model")
    assert evaluate(tmp_path, "--model", str(folder), "--prompt", "bfs-prover") == 2
    assert "torch: not installed; run: pip install" in capsys.readouterr().err


def test_what_is_wrong_with_a_server_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with in_thread(gold) as double:
        url = double.url
        assert evaluate(tmp_path / "unpinned", "--server", url, "--model", "prover", "--prompt", "stp") == 0
        assert "policy.revision: not given" in capsys.readouterr().err
        assert only_run(tmp_path / "unpinned")[0]["generator"]["revision"] == "unknown revision"
        assert evaluate(tmp_path, "--server", url, "--model", "other", "--prompt", "stp") == 2
        assert "does not serve 'other'; it serves: prover" in capsys.readouterr().err
    assert evaluate(tmp_path, "--server", url, "--model", "prover", "--prompt", "stp") == 1
    assert "ConnectError" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--model", "m"], "--model: needs --prompt FAMILY"),
        (["--server", "http://a"], "--server: says something of a model; add --model NAME"),
        (["--model", "m", "--prompt", "kimina"], "did you mean 'kimina-prover'"),
        (["--model", "org/m", "--prompt", "stp"], "policy.revision: 'org/m' is no folder here"),
        (["--model", "m", "--prompt", "stp", "--generator", "g"], "--generator: is instead of --model"),
        (["--url", "http://a"], "add --lean"),
    ],
)
def test_options_that_do_not_fit_are_told(
    options: list[str],
    line: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    offline_hub(monkeypatch, tmp_path, "org/other", {})
    lean = [] if "--url" in options else ["--lean", "core"]
    assert main(["eval", *options, *lean, "--benchmark", "smoke", "--runs", str(tmp_path)]) == 2
    assert line in capsys.readouterr().err


def test_any_model_in_process_is_measured_by_whole_proofs_and_by_search(tmp_path: Path) -> None:
    folder = make_causal_lm(tmp_path / "model")
    short = ["--set", "whole_proof.max_new_tokens=8", "--set", "search.decode.max_tactic_tokens=8"]
    short += ["--set", "search.expansions=2", "--set", "search.decode.width=2", "--limit", "2"]
    for prompt, key in (("deepseek-prover-v2", "whole_proof"), ("bfs-prover", "search")):
        runs = tmp_path / prompt
        assert evaluate(runs, "--model", str(folder), "--prompt", prompt, *short) == 0
        spec, records = only_run(runs)
        assert key in spec
        assert spec["generator"]["revision"].startswith("sha256:")
        assert all(item.verdict.status is Status.REJECTED for item in records)


def test_a_value_model_from_outside_guides_the_search(tmp_path: Path) -> None:
    folder, judge = make_causal_lm(tmp_path / "model"), make_classifier(tmp_path / "judge")
    value = f"{{kind: classifier, checkpoint: {judge}, gamma: 0.9}}"
    options = ["--set", f"value_model={value}", "--set", "search.alpha=0.5", "--limit", "2"]
    options += ["--set", "search.decode.max_tactic_tokens=8", "--set", "search.expansions=2"]
    assert evaluate(tmp_path / "runs", "--model", str(folder), "--prompt", "bfs-prover", *options) == 0
    spec, _ = only_run(tmp_path / "runs")
    assert spec["value"]["kind"] == "classifier" and spec["value"]["gamma"] == 0.9


def test_a_model_from_outside_is_not_trained() -> None:
    path = files.find("base/served")
    with pytest.raises(SpecError, match="rounds: 2 cannot train a policy that comes from outside"):
        files.load(path, Overrides(None, (Setting("rounds", 2, "--set rounds=2"),)))
    with pytest.raises(SpecError, match="train: missing; add it, or a policy"):
        files.load(path, Overrides(None, (Setting("policy", None, "--set policy=null"),)))
