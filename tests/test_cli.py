"""The command line from the outside: every command, every common mistake, exit codes and what is printed."""

import contextlib
import dataclasses
import json
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness import cli, doctor
from harness.audits.canaries import canaries
from harness.benchmarks import loading, manifest
from harness.errors import InfraError
from harness.experiment import files, workers
from harness.protocols import Candidate
from harness.records.store import RunStore
from harness.spec import LeanSpec
from harness.types import Attempt, Level, Problem, ProblemRef, Record, SearchStats, Status, Verdict
from tests.making import session, spec

Captured = pytest.CaptureFixture[str]
SMOKE = loading.load("smoke")[:4]


def verdict(status: str) -> Verdict:
    return Verdict(
        Status(status), "ok" if status == "proved" else "error", level=Level.STRICT, verifier="core"
    )


def record(problem: Problem, status: str = "proved", proof: str | None = None) -> Record:
    attempt = Attempt(problem.id, 0, seed=0, proof=problem.gold if proof is None else proof)
    return Record(problem.benchmark, problem.split, problem.id, problem.revision, attempt, verdict(status))


def stored(root: Path, name: str, records: list[Record], **changes: Any) -> Path:
    """A finished run of the first smoke theorems."""
    keys = {"evaluation.problems.benchmark": "smoke", **{k.replace("__", "."): v for k, v in changes.items()}}
    known = {ProblemRef.of(problem): problem for problem in SMOKE}
    if any(item.benchmark == "canary" for item in records):
        known |= {
            ProblemRef.of(item, canary=True): item
            for item in canaries(SMOKE[0].header, "core")
            if item.id in {one.problem_id for one in records}
        }
    from harness.analysis.runs import open_run

    with RunStore.create_or_resume(root / name, spec(**keys), list(known), session()) as store:
        store.append_many(records)
        store.finish(dataclasses.asdict(open_run(root / name).summary))
    return root / name


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two sides of two seeds each: side b proves one theorem more."""
    for seed in (0, 1):
        marks = ["proved", "proved", "rejected", "rejected"]
        a = [
            record(p, mark, None if mark == "proved" else "nonsense")
            for p, mark in zip(SMOKE, marks, strict=True)
        ]
        b = [*a[:2], record(SMOKE[2]), a[3]]
        stored(tmp_path, f"a.search-{seed}", a, seed=seed)
        stored(tmp_path, f"b.search-{seed}", b, seed=seed)
    return tmp_path


def call(capsys: Captured, *argv: object) -> tuple[int, str, str]:
    code = cli.main([str(word) for word in argv])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def mistake(capsys: Captured, *argv: object) -> str:
    """The one line that a user's mistake gives."""
    code, out, err = call(capsys, *argv)
    assert (code, out) == (2, ""), err
    assert "Traceback" not in err and err.startswith("harness: ") and err.count("\n") == 1
    return err


def test_help_imports_nothing_heavy() -> None:
    heavy = ["torch", "transformers", "trl", "wandb", "datasets", "httpx", "rich", "numpy", "pydantic"]
    text = f"""
import sys
from harness.cli import main
assert main(["--help"]) == 0
print([name for name in {heavy} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert all(name in done.stdout for name in cli.COMMANDS)


@pytest.mark.parametrize(
    "argv", [["doctor"], ["runs"], ["leaderboard"], ["data", "list"], ["validate", "smoke"]]
)
def test_commands_without_models_import_neither_torch_nor_wandb(argv: list[str], tmp_path: Path) -> None:
    text = f"""
import sys
from harness.cli import main
main({argv!r} + ["--runs", {str(tmp_path)!r}])
print([name for name in ("torch", "transformers", "wandb", "datasets") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_has_help_and_a_module(name: str, capsys: Captured) -> None:
    code, out, _ = call(capsys, name, "--help")
    assert code == 0 and cli.COMMANDS[name][1] in out and "--runs" in out
    assert (Path(cli.__file__).parent / "commands" / f"{cli.COMMANDS[name][0]}.py").is_file()


def test_all_faults_of_a_command_are_told_at_once(tmp_path: Path, capsys: Captured) -> None:
    for argv, told in (
        (("run", BASE, "--set", "a", "--set", "b"), ("--set a: must look", "--set b: must look")),
        (
            ("run", BASE, "--set", "train.split=trian", "--set", "evaluations.0.problems.split=tset"),
            ("--set train.split=trian: ", "--set evaluations.0.problems.split=tset: "),
        ),
        (("serve", "lean", "--port", "70000", "--workers", "0"), ("--port 70000: ", "--workers 0: ")),
        (("validate", "smoke", "--workers", "0", "--url", "http://x"), ("--workers 0: ", "--url: names")),
    ):
        code, out, err = call(capsys, *argv, "--runs", tmp_path)
        lines = err.splitlines()
        assert code == 2 and out == "" and len(lines) == len(told)
        assert all(line.startswith(f"harness: {word}") for line, word in zip(lines, told, strict=True))


BASE = "base/embedded"


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["run", BASE, "--set", "search.aplha=1"], "search.aplha: unknown key; did you mean 'alpha'?"),
        (["run", BASE, "--set", "search.alpha=high"], "search.alpha: input should be a valid number"),
        (["run", BASE, "--set", "search.alpha=1.5"], "search.alpha: input should be less than or equal to 1"),
        (
            ["run", BASE, "--set", "search.alpha=-0.1"],
            "search.alpha: input should be greater than or equal to 0",
        ),
        (["run", BASE, "--set", "value.gamma=0"], "value.gamma: input should be greater than 0"),
        (["run", BASE, "--set", "value.gamma=1.1"], "value.gamma: input should be less than or equal to 1"),
        (
            ["run", BASE, "--set", "alpha=0.35"],
            "--set alpha=0.35: alpha: unknown key; did you mean 'search.alpha'?",
        ),
        (["run", BASE, "--set", "kl=0.35"], "--set kl=0.35: kl: unknown key; did you mean 'grpo.kl'?"),
        (["run", BASE, "--set", "tracking.wandb=on"], "'offline', 'online' or 'auto', not \"on\""),
        (["run", BASE, "--set", "search.alpha"], "--set search.alpha: must look like search.alpha=0.5"),
        (["run", BASE, "--set", "train.benchmark=nope"], "no benchmark 'nope'"),
        (
            ["run", BASE, "--set", "evaluations.9.k=[9]"],
            "evaluations.9.k: no item '9' in this list of 5; count from 0, or give the whole list as [...]",
        ),
        (["run", BASE, "--set", "evaluations.0.k=[9]"], "k: 9 is not between 1 and samples (1)"),
        (["run", BASE, "--set", "evaluations=[]"], "evaluations: is empty; list at least one"),
        (["run", "quickstart"], "quickstart.yaml is a sweep file; use harness sweep\n"),
        (["eval", "quickstart"], "quickstart.yaml is a sweep file; use harness sweep\n"),
        (["sweep", BASE], "embedded.yaml is an experiment file; use harness run\n"),
        (["run", "nope"], "nope: no such file"),
        (["run", "alhpa"], "did you mean 'alpha.yaml'?"),
        (["eval", "--benchmark", "minif2"], "no benchmark 'minif2'; did you mean 'minif2f'?"),
        (["eval", "--benchmark", "minif2"], "--benchmark minif2: "),
        (["eval", "--benchmark", "smoke", "--split", "tset"], "no split 'tset'; did you mean 'test'?"),
        (["eval", "--benchmark", "smoke", "--split", "tset"], "--split tset: evaluations.0.problems.split: "),
        (["eval", "--split", "tset"], "--split tset: evaluations.0.problems.split: "),
        (["eval", "--limit", "0"], "--limit 0: evaluations.0.problems.limit: input should be greater than"),
        (["eval", "--name", "A B"], "--name A B: evaluations.0.name: "),
        (
            ["eval", "--prover", "mtcs"],
            "--prover mtcs over harness eval: evaluations.0.prover.kind: must",
        ),
        (["eval", "-k", "8"], "harness: -k 8 over harness eval: evaluations.0: k: 8 is not between 1 and"),
        (["eval", "-k", "1", "-k", "1"], "-k 1 -k 1 over harness eval: evaluations.0: k: 1 is listed twice"),
        (["eval", "--set", "search.alpha=2"], "--set search.alpha=2: search.alpha: input should be less"),
        (
            ["eval", "--prover", "mtcs"],
            "prover.kind: must be one of best_first, beam, mcts, whole_proof, portfolio, union",
        ),
        (["eval", "--generator", "/nonexistent"], "/nonexistent: no such checkpoint folder"),
        (["eval", "--value", "/nonexistent"], "/nonexistent: no such checkpoint folder"),
        (["eval", "--samples", "4", "-k", "8"], "k: 8 is not between 1 and samples (4)"),
        (
            ["eval", "--samples", "4"],
            "the same every time; set samples: 1, or search.decode.method: sample",
        ),
        (["eval", "--samples", "4", "--prover", "portfolio"], "the same every time; set samples: 1"),
        (["eval", "--samples", "0"], "samples: input should be greater than or equal to 1"),
        (["eval", "--alpha", "2"], "alpha: input should be less than or equal to 1"),
        (["eval", "--prover", "whole_proof", "--alpha", "0.4"], "prover.alpha: unknown key"),
        (["eval", "--repairs", "2"], "--repairs 2: evaluations.0.prover.repairs: unknown key"),
        (["train", "vlaue", BASE], "no stage 'vlaue'"),
        (["run", BASE, "--set", "lean.service=repl"], "lean.service: repl cannot train here yet"),
        (["leaderboard", "smok"], "no board 'smok'; did you mean 'smoke'?"),
        (["data", "show", "smok"], "no benchmark 'smok'; did you mean 'smoke'?"),
        (["data", "show"], "name a BENCHMARK"),
        (["data", "overlap", "smoke"], "name a BENCHMARK and a training source"),
        (["data", "list", "--from", "x"], "for data fetch"),
        (["validate", "nope"], "no benchmark 'nope'"),
        (["validate"], "name one BENCHMARK, or give --attacks"),
        (["validate", "smoke", "--attacks"], "name one BENCHMARK, or give --attacks"),
        (["validate", "smoke", "--lean", "kimina"], "--lean kimina: needs --url"),
        (["validate", "smoke", "--url", "http://x"], "add --lean kimina"),
        (["validate", "smoke", "--project", "x"], "add --lean repl"),
        (["validate", "smoke", "--workers", "0"], "--workers 0: must be at least 1"),
        (["serve", "lean", "--port", "70000"], "--port 70000"),
        (["compare", "a", "b"], "holds no runs; make one with `harness run`"),
        (["recheck", "a"], "holds no runs"),
    ],
)
def test_a_mistake_is_one_line(argv: list[str], told: str, tmp_path: Path, capsys: Captured) -> None:
    assert told in mistake(capsys, *argv, "--runs", tmp_path)
    assert list(tmp_path.iterdir()) == [], "nothing is begun"


def test_everything_that_hinders_is_told_at_once(tmp_path: Path, capsys: Captured) -> None:
    argv = ["run", BASE, "--set", "improve.backend=openrlhf", "--runs", tmp_path]
    code, out, err = call(capsys, *argv)
    assert (code, out, list(tmp_path.iterdir())) == (2, "", [])
    assert "node.gpus: 0 are there and improve.openrlhf asks for 8" in err and err.count("\n") > 1
    code, out, _ = call(capsys, *argv, "--dry-run")
    assert code == 0 and all(line.removeprefix("harness: ") in out for line in err.splitlines())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("base: nope\n", "base: no 'nope'"),
        ("base: embedded\nsearch: {alhpa: 1}\n", "search.alhpa: unknown key; did you mean 'alpha'?"),
        ("base: embedded\nsearch: [1, 2\n", "point.yaml"),
        ("base: embedded\ntrain: {max_difficulty: 0}\n", "train.max_difficulty"),
    ],
)
def test_a_wrong_file_is_one_line(text: str, told: str, tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "point.yaml"
    path.write_text(text)
    assert told in mistake(capsys, "run", path, "--runs", tmp_path / "runs")


def test_an_empty_problem_set_is_one_line(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    hard = tuple(dataclasses.replace(problem, difficulty=5) for problem in SMOKE)
    monkeypatch.setattr(loading, "split_of", lambda *_: hard)
    told = mistake(capsys, "run", BASE, "--set", "train.max_difficulty=4", "--runs", tmp_path)
    assert "no problem of difficulty 4 or less; raise max_difficulty" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("methid: grid\nparameters: {search.alpha: {values: [0]}}\n", "methid"),
        ("method: grid\nparameters: {search.alpha: {valuse: [0]}}\n", "valuse"),
        ("method: grid\nparameters: {base: {value: embedded}, search.aplha: {values: [0]}}\n", "aplha"),
    ],
)
def test_a_wrong_sweep_is_one_line(text: str, told: str, tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    assert told in mistake(capsys, "sweep", path, "--runs", tmp_path / "runs")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("parameters: {search.alpha: {values: [0.1, 0.9]}}", "base: missing; name the experiment"),
        (
            "metric: {name: eval/nowhere/pass_at_1}\nparameters: {base: {value: embedded}}",
            "metric.name: nothing logs 'eval/nowhere/pass_at_1'; among the",
        ),
        (
            "metric: {name: eval/whole_test/nodes_per_proof_mean}\nparameters: {base: {value: embedded}}",
            "metric.name: nothing logs 'eval/whole_test/nodes_per_proof_mean'",
        ),
    ],
)
def test_a_sweep_is_refused_before_its_first_point(
    text: str, told: str, tmp_path: Path, capsys: Captured
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"method: grid\n{text}\n")
    assert told in mistake(capsys, "sweep", path, "--dry-run", "--runs", tmp_path / "runs")


def test_a_metric_of_a_training_stage_is_taken(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "mine.yaml"
    for name in ("round_1__value/auc", "curve/round_1__grpo/reward", "eval/whole_test/pass_at_8"):
        path.write_text(
            f"method: grid\nmetric: {{name: {name}}}\nparameters: {{base: {{value: embedded}}}}\n"
        )
        assert call(capsys, "sweep", path, "--dry-run", "--runs", tmp_path / "runs")[0] == 0


def test_a_huge_sweep_is_counted_first_and_its_values_are_checked(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "mine.yaml"

    def write(alphas: list[float]) -> None:
        gammas = [n / 100 for n in range(1, 91)]
        path.write_text(
            "method: grid\nparameters:\n  base: {value: embedded}\n  rounds: {value: 0}\n"
            "  evaluations:\n"
            "    value: [{name: e, prover: portfolio, problems: {benchmark: smoke, split: test}}]\n"
            f"  search.alpha: {{values: {alphas}}}\n  value.gamma: {{values: {gammas}}}\n"
            f"  grpo.kl: {{values: {gammas}}}\n"
        )

    write([n / 100 for n in range(100)])
    code, out, _ = call(capsys, "sweep", path, "--dry-run", "--runs", tmp_path / "runs")
    assert code == 0 and out.startswith("mine: 810,000 points\n") and "and 809,995 more, not planned" in out
    write([n / 100 for n in range(99)] + [1.5])
    told = mistake(capsys, "sweep", path, "--dry-run", "--runs", tmp_path / "runs")
    assert "search.alpha: input should be less than or equal to 1, not 1.5" in told


SWEEP = """
method: grid
parameters:
  base: {value: embedded}
  rounds: {value: 0}
  evaluations: {value: [{name: e, prover: portfolio, problems: {benchmark: smoke, split: test}}]}
  search: {parameters: {alpha: {values: [0.1, 0.2]}, decode: {parameters: {width: {values: [2, 4]}}}}}
"""


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("search.alpha=0.5", "search.alpha"),
        ("search={expansions: 3, alpha: 0.5}", "search.alpha"),
        ("search.decode.width=3", "search.decode.width"),
        ("search=null", "search.alpha"),
    ],
)
def test_a_sweep_refuses_to_fix_what_it_varies(
    setting: str, name: str, tmp_path: Path, capsys: Captured
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(SWEEP)
    told = mistake(capsys, "sweep", path, "--set", setting, "--runs", tmp_path / "runs", "--dry-run")
    assert told == (
        f"harness: --set {setting}: {path} varies {name}; drop --set, or take {name} out of the sweep file\n"
    )


def test_a_sweep_takes_other_settings_and_another_base(tmp_path: Path, capsys: Captured) -> None:
    path, other = tmp_path / "mine.yaml", tmp_path / "other.yaml"
    path.write_text(SWEEP)
    shutil.copy(files.find(BASE), other)
    for given in (
        ["--set", "search.expansions=3"],
        ["--set", "search={decode: {method: beam}}"],
        ["--set", "lean.service=core"],
        ["--base", str(other)],
    ):
        code, out, err = call(capsys, "sweep", path, *given, "--dry-run", "--runs", tmp_path / "runs")
        assert (code, err) == (0, "") and out.startswith("mine: 4 points\n\nsearch.alpha=0.1 search.decode.w")


def test_a_sweep_over_bases_refuses_one_base(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("method: grid\nparameters: {base: {values: [embedded, node8]}}\n")
    argv = ("sweep", path, "--dry-run", "--runs", tmp_path / "runs")
    assert f"--base node8: {path} varies base; drop --base, or take" in mistake(
        capsys, *argv, "--base", "node8"
    )
    monkeypatch.setenv("HARNESS_BASE", "node8")
    assert f"HARNESS_BASE=node8: {path} varies base; drop HARNESS_BASE=node8, or" in mistake(capsys, *argv)


def test_a_failed_point_ends_no_sweep_but_its_exit_code(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(
        "name: toy\nmethod: grid\nmetric: {name: eval/smoke/pass_at_1, goal: maximize}\nparameters:\n"
        "  base: {value: embedded}\n  rounds: {value: 0}\n  tracking.wandb: {value: 'off'}\n"
        "  search.expansions: {values: [1, 2, 3]}\n  evaluations: {value: [{name: smoke, prover: portfolio,"
        " problems: {benchmark: smoke, split: test, limit: 2}}]}\n"
    )
    real = workers.conduct

    def conduct(spec: Any, *given: Any) -> Any:
        if spec.search.expansions == 2:
            raise InfraError("Lean is gone")
        return real(spec, *given)

    monkeypatch.setattr(workers, "conduct", conduct)
    argv = ("sweep", path, "--runs", tmp_path / "runs", "--plain")
    code, out, err = call(capsys, *argv)
    assert code == 1 and "Sweep toy: 3 points" in out and "search.expansions=2 (failed)" in out
    assert "harness: point 2 search.expansions=2: Lean is gone\n" in err
    assert "1 point has failed; the same command with --retry-failed tries it again" in err
    assert call(capsys, *argv, "--max-failures", 1)[2].count("finished") == 1
    monkeypatch.setattr(workers, "conduct", real)
    code, _, err = call(capsys, *argv, "--retry-failed")
    assert code == 0 and "smoke: 0s" in err


def test_a_sweep_of_one_point(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "mine.yaml"
    argv = ("sweep", path, "--dry-run", "--runs", tmp_path / "runs")
    path.write_text(SWEEP.replace("[0.1, 0.2]", "[0.1]").replace("[2, 4]", "[2]"))
    code, out, _ = call(capsys, *argv)
    assert code == 0 and out.startswith("mine: 1 point\n")
    path.write_text(SWEEP.replace("[0.1, 0.2]", "[2.0]").replace("[2, 4]", "[2]"))
    assert mistake(capsys, *argv).startswith(f"harness: {path} over embedded: search.alpha: input")


def test_a_corrupt_record_is_named_with_its_line(runs: Path, capsys: Captured) -> None:
    path = runs / "a.search-0" / "records.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], "{nonsense", *lines[2:]]) + "\n")
    for argv in (["recheck", "a.search-0"], ["compare", "a.search-0", "b.search-0"]):
        assert "records.jsonl" in mistake(capsys, *argv, "--runs", runs)


def test_compare_pools_the_seeds_that_a_pattern_catches(runs: Path, capsys: Captured) -> None:
    code, out, err = call(
        capsys, "compare", "a.*", "b.search-0,b.search-1,b.search-0", "--runs", runs, "--json"
    )
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert (found["a"], found["b"]) == (["a.search-0", "a.search-1"], ["b.search-0", "b.search-1"])
    assert found["only_b"] == [SMOKE[2].id] and found["figures"][0]["estimate"]["value"] == 0.25
    code, out, _ = call(capsys, "compare", "a.search-0", "b.search-1", "--runs", runs)
    assert code == 0 and "pass@1" in out and SMOKE[2].id in out


def test_compare_refuses_what_it_cannot_answer(runs: Path, capsys: Captured) -> None:
    assert "names 2 runs: a.search-0, a.search-1" in mistake(capsys, "compare", "a", "b", "--runs", runs)
    assert "matches 'c*'; there are: a.search-0" in mistake(capsys, "compare", "c*", "b.*", "--runs", runs)
    told = mistake(capsys, "compare", "a.*", "b.*", "-k", "8", "--runs", runs)
    assert "-k 8: a.search-0 made 1 attempts a problem" in told
    stored(runs, "c.search-0", [record(SMOKE[0])], search__expansions=32)
    assert "expansions differs: 64 in a.search-0, 32 in c.search-0" in mistake(
        capsys, "compare", "a.search-0", "c.search-0", "--runs", runs
    )
    code, _, _ = call(capsys, "compare", "a.search-0", "c.search-0", "--force", "--runs", runs)
    assert code == 0


def test_compare_tells_when_a_side_is_no_set_of_seeds(runs: Path, capsys: Captured) -> None:
    stored(runs, "a.search-2", [record(SMOKE[0])], seed=2, search__alpha=0.9)
    code, _, err = call(capsys, "compare", "a.*", "b.*", "--runs", runs)
    assert code == 2 and "a.*: 3 runs that differ in more than the seed (alpha): no setting" in err
    code, out, _ = call(capsys, "compare", "a.*", "b.*", "--runs", runs, "--force")
    assert code == 0 and "warning: side A pools 3 runs that differ in more than the seed: alpha" in out


def test_leaderboard(runs: Path, capsys: Captured) -> None:
    code, out, err = call(capsys, "leaderboard", "--runs", runs)
    rows = [line.split() for line in out.splitlines() if ".search-" in line]
    assert code == 0 and err == "" and out.startswith("Smoke set: 4 problems")
    assert [(row[0], row[-1]) for row in rows[:2]] == [("1", "b.search-0"), ("1", "b.search-1")]
    code, out, err = call(
        capsys, "leaderboard", "smoke", "--json", "--html", runs / "x" / "b.html", "--runs", runs
    )
    assert [row["rank"] for row in json.loads(out)["sections"][0]["rows"]] == [1] * 4, (
        "one more of four proves nothing"
    )
    assert str(runs / "x" / "b.html") in err and (runs / "x" / "b.html").read_text().startswith(
        "<!doctype html>"
    )
    _, out, _ = call(capsys, "leaderboard", "--markdown", "--runs", runs)
    assert out.startswith("### Smoke set") and "| b.search-0 |" in out


def test_leaderboard_and_runs_of_nothing_say_how_to_begin(tmp_path: Path, capsys: Captured) -> None:
    for command in ("leaderboard", "runs"):
        code, out, _ = call(capsys, command, "--runs", tmp_path)
        assert code == 0 and "make one with `harness run`" in out
    _, out, _ = call(capsys, "leaderboard", "--json", "--runs", tmp_path)
    assert json.loads(out)["sections"] == []
    stored(tmp_path, "r", [], **{"evaluation__problems__benchmark": "elsewhere"})
    _, out, _ = call(capsys, "leaderboard", "--runs", tmp_path)
    assert out.startswith("elsewhere, split test: 4 problems"), "its own board"


def test_recheck_keeps_good_proofs_and_writes_nothing(runs: Path, capsys: Captured) -> None:
    before = {path: path.read_bytes() for path in sorted(runs.rglob("*")) if path.is_file()}
    code, out, _ = call(capsys, "recheck", "b.search-0", "--runs", runs, "--plain")
    assert code == 0 and "0 of 4 verdicts changed" in out and "4 candidates judged again by core" in out
    assert {path: path.read_bytes() for path in sorted(runs.rglob("*")) if path.is_file()} == before


def test_recheck_finds_what_was_wrongly_proved(tmp_path: Path, capsys: Captured) -> None:
    stored(tmp_path, "r", [record(SMOKE[0]), record(SMOKE[1], "proved", "sorry")])
    code, out, _ = call(capsys, "recheck", "r", "--runs", tmp_path)
    assert code == 1 and f"{SMOKE[1].id} #0: proved (ok) -> rejected (sorry)" in out
    code, out, _ = call(capsys, "recheck", "r", "--json", "--runs", tmp_path)
    found = json.loads(out)
    assert code == 1 and found["proved_no_more"] == 1 and found["changed"][0]["id"] == SMOKE[1].id


def test_kept_verdicts_are_a_run_of_their_own(tmp_path: Path, capsys: Captured) -> None:
    stored(tmp_path, "a.search-0", [record(SMOKE[0]), record(SMOKE[1], "proved", "sorry")])
    before = (tmp_path / "a.search-0" / "records.jsonl").read_bytes()
    for _ in range(2):
        call(capsys, "recheck", "a.search-0", "--keep", "--runs", tmp_path)
    _, out, _ = call(capsys, "recheck", "a.search-0", "--keep", "--json", "--runs", tmp_path)
    kept = json.loads(out)["kept"]
    assert kept.startswith("a.search-") and kept != "a.search-0"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["a.search-0", kept])
    assert (tmp_path / "a.search-0" / "records.jsonl").read_bytes() == before
    spec = json.loads((tmp_path / kept / "spec.json").read_text())
    assert spec["lean"]["rechecked"] is True
    figures = json.loads((tmp_path / kept / "summary.json").read_text())
    assert figures["proofs"] == 1 and figures["tiers"] == {"kernel": 1}


def test_where_verdicts_cannot_be_kept_none_is_asked_for(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(tmp_path / "made", "a.search-0", [record(SMOKE[0])])
    monkeypatch.setattr("harness.commands.recheck.judge", lambda spec: pytest.fail("judged"))
    (tmp_path / "taken").write_text("")
    elsewhere = (str(tmp_path / "made" / "a.search-0"), "--keep", "--runs", tmp_path / "taken")
    assert "taken/a.search-" in mistake(capsys, "recheck", *elsewhere)


def test_verdicts_that_did_not_come_leave_no_run(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(tmp_path, "a.search-0", [record(SMOKE[0])])

    def broken(spec: object) -> None:
        raise InfraError("no Lean")

    monkeypatch.setattr("harness.commands.recheck.judge", broken)
    code, _, err = call(capsys, "recheck", "a.search-0", "--keep", "--runs", tmp_path)
    assert code == 1 and "no Lean" in err
    assert [path.name for path in tmp_path.iterdir()] == ["a.search-0"]


def test_a_server_that_is_not_there_is_one_line(runs: Path, capsys: Captured) -> None:
    dead = ("--lean", "kimina", "--url", "http://127.0.0.1:9")
    for argv in (("recheck", "b.search-0"), ("validate", "smoke"), ("validate", "--attacks")):
        code, out, err = call(capsys, *argv, *dead, "--runs", runs, "--plain")
        told = [line for line in err.splitlines() if line.startswith("harness:")]
        assert code == 1 and out == "" and len(told) == 1 and "127.0.0.1:9: ConnectError" in told[0]


def test_recheck_by_a_failing_service_refutes_nothing(
    runs: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing:
        async def check(self, candidates: Sequence[Candidate], level: Level) -> list[Verdict]:
            return [Verdict(Status.INFRA, "service", "gone", level=level) for _ in candidates]

    @contextlib.asynccontextmanager
    async def failing(spec: LeanSpec) -> AsyncIterator[Failing]:
        yield Failing()

    monkeypatch.setattr("harness.commands.recheck.judge", failing)
    code, out, _ = call(capsys, "recheck", "b.search-0", "--json", "--runs", runs)
    found = json.loads(out)
    assert code == 1 and found["proved_no_more"] == 0 and found["not_judged"] == 4


def test_a_broken_run_is_named_and_the_others_are_shown(runs: Path, capsys: Captured) -> None:
    path = runs / "b.search-0" / "records.jsonl"
    path.write_text("{broken}\n" + path.read_text())
    for argv in (("runs",), ("leaderboard",)):
        code, out, err = call(capsys, *argv, "--runs", runs)
        assert code == 2 and "b.search-1" in out and "b.search-0" not in out
        assert "left out:" in err and "b.search-0/records.jsonl:1" in err


def test_a_broken_run_alone_is_not_called_no_run(tmp_path: Path, capsys: Captured) -> None:
    path = stored(tmp_path, "r", [record(SMOKE[0])]) / "records.jsonl"
    path.write_text("{broken}\n" + path.read_text())
    for argv in (("runs",), ("leaderboard",)):
        code, out, err = call(capsys, *argv, "--runs", tmp_path)
        assert code == 2 and "no runs" not in out + err and "r/records.jsonl:1" in err


def test_a_folder_whose_name_looks_like_a_pattern_is_itself(tmp_path: Path, capsys: Captured) -> None:
    a = stored(tmp_path / "x", "r[0-1]", [record(SMOKE[0])])
    b = stored(tmp_path / "x", "r?", [record(SMOKE[0], "rejected")])
    stored(tmp_path / "x", "r0", [record(SMOKE[0])])
    for left, right in ((a, b), (a.name, b.name)):
        code, out, _ = call(capsys, "compare", left, right, "--json", "--runs", tmp_path / "x")
        assert code == 0 and (json.loads(out)["a"], json.loads(out)["b"]) == (["r[0-1]"], ["r?"])


@pytest.mark.parametrize(
    ("host", "key", "warned"),
    [("0.0.0.0", "", True), ("::", "", True), ("lean.example", "", True), ("0.0.0.0", "k", False),
     ("127.0.0.1", "", False), ("localhost", "", False), ("::1", "", False)],
)  # fmt: skip
def test_an_open_door_is_warned_about(
    host: str, key: str, warned: bool, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAN_SERVER_API_KEY", key)
    monkeypatch.setattr("harness.commands.serve.serve_lean", lambda *_: None)
    code, _, err = call(capsys, "serve", "lean", "--host", host)
    assert code == 0 and (f"warning: --host {host} lets everybody" in err) is warned


def test_recheck_judges_canaries_too(tmp_path: Path, capsys: Captured) -> None:
    from harness.audits.canaries import BENCHMARK, mix_canaries

    mixed = [item for item in mix_canaries(SMOKE, 3, 0) if item.benchmark == BENCHMARK]
    stored(tmp_path, "r", [record(item, "rejected", "rfl") for item in mixed], runtime__canaries=3)
    code, out, _ = call(capsys, "recheck", "r", "--json", "--runs", tmp_path)
    assert code == 0 and json.loads(out)["candidates"] == len(mixed) > 0


def test_recheck_of_another_revision_is_refused(tmp_path: Path, capsys: Captured) -> None:
    stored(tmp_path, "r", [record(SMOKE[0])])
    for path in (tmp_path / "r").glob("*.json*"):
        path.write_text(path.read_text().replace(SMOKE[0].revision, "0" * 16))
    told = mistake(capsys, "recheck", "r", "--runs", tmp_path)
    assert f"{SMOKE[0].id}: revision {'0' * 16} is not in smoke any more" in told


def test_validate(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, _ = call(capsys, "validate", "smoke")
    assert code == 0 and "74 of 74 gold proofs proved at level strict" in out
    broken = [dataclasses.replace(SMOKE[0], gold="sorry"), *SMOKE[1:]]
    monkeypatch.setattr(loading, "load", lambda *_: broken)
    code, out, _ = call(capsys, "validate", "smoke")
    assert code == 1 and f"test/{SMOKE[0].id}: rejected (sorry)" in out and "3 of 4" in out
    code, out, _ = call(capsys, "validate", "smoke", "--json")
    assert code == 1 and json.loads(out)["failures"][0]["id"] == SMOKE[0].id
    other = [dataclasses.replace(SMOKE[0], toolchain="leanprover/lean4:v4.24.0")]
    monkeypatch.setattr(loading, "load", lambda *_: other)
    assert "which the embedded core cannot judge; add --lean repl" in mistake(capsys, "validate", "smoke")


def test_validate_attacks(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.audits.museum import museum_folder
    from harness.commands import validation

    few = ("wrong-decide", "white-space")
    for name in few:
        shutil.copytree(museum_folder() / name, tmp_path / name)
    monkeypatch.setattr(validation, "museum_folder", lambda: tmp_path)
    code, out, _ = call(capsys, "validate", "--attacks")
    assert code == 0 and all(name in out for name in few) and "cheats: 0 of 4 accepted" in out
    honest = {
        "status": "proved",
        "reasons": ["ok"],
        "tier": "strict",
        "needs": "core",
        "row": 0,
        "why": "wrong",
    }
    (tmp_path / few[0] / "expected.json").write_text(json.dumps(honest))
    code, out, _ = call(capsys, "validate", "--attacks", "--json")
    assert code == 1 and json.loads(out)["honest_rejected"] == 2


def test_data(capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    _, out, _ = call(capsys, "data", "list", "--json")
    assert {row["name"] for row in json.loads(out)} == set(manifest.names())
    code, out, _ = call(capsys, "data", "list")
    assert code == 0 and all(name in out for name in manifest.names())
    _, out, _ = call(capsys, "data", "show", "smoke", "minif2f")
    assert "test 74" in out and "harness data fetch minif2f" in out
    _, out, _ = call(capsys, "data", "show", "smoke", "--json")
    assert json.loads(out)["content"] == manifest.manifest("smoke").revision
    code, out, _ = call(capsys, "data", "validate", "smoke")
    assert code == 0 and "74 problems agree with the manifest" in out and "74 of 74 gold proofs" in out
    _, out, _ = call(capsys, "data", "overlap", "smoke:test", "smoke", "--json")
    assert json.loads(out)["same_statement"] == 74
    _, out, _ = call(capsys, "data", "overlap", "smoke", "smoke")
    assert "same statement, names of variables apart: 74" in out and "and 54 more" in out
    assert "no data at" in mistake(capsys, "data", "validate", "minif2f")
    _, out, _ = call(capsys, "data", "show", "minif2f")
    assert "\n  content " in out and "\n  source commit " in out and "\n  revision" not in out
    (tmp_path / "random.jsonl").write_bytes(b'{"name": 1}\n\n\x89\xff')
    for argv, words in (
        (("--from", tmp_path / "random.jsonl"), f"{tmp_path}/random.jsonl:3: not UTF-8 (invalid start byte)"),
        (("--from", tmp_path / "absent"), f"harness: {tmp_path}/absent: no such file or folder"),
        (("--from", tmp_path, "--revision", "abc"), "--revision abc: --from takes what"),
    ):
        code, _, err = call(capsys, "data", "fetch", "minif2f", *argv)
        assert code == 2 and words in err.splitlines()[-1] and len(err.splitlines()) == 2
    code, _, err = call(capsys, "data", "fetch", "smoke")
    assert code == 2 and "smoke: its data lies beside its manifest" in err.splitlines()[-1]


def test_serve_answers_and_ends_on_ctrl_c(tmp_path: Path) -> None:
    text = "import sys; from harness.cli import main; sys.exit(main())"
    argv = [sys.executable, "-c", text, "serve", "lean", "--port", "0", "--workers", "1"]
    server = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        assert server.stdout is not None and server.stderr is not None
        address = server.stdout.readline().split()[3]
        with urllib.request.urlopen(f"{address}/health", timeout=60) as answer:
            assert json.load(answer) == {"status": "ok"}
        found = {
            one.name: one for one in doctor.examine(tmp_path, {"LEAN_SERVER_API_URL": address, "PATH": ""})
        }
        assert found["kimina"].state == "ok"
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 0 and "Traceback" not in server.stderr.read()
    finally:
        server.kill()
        server.communicate()


def test_doctor(tmp_path: Path, capsys: Captured) -> None:
    code, out, _ = call(capsys, "doctor", "--json", "--runs", tmp_path)
    found = {one["name"]: one for one in json.loads(out)}
    assert code == (1 if any(one["state"] == "wrong" for one in found.values()) else 0)
    assert found["runs"]["state"] == "ok" and found["torch"]["state"] == "ok"
    assert all(one["state"] == "ok" or (one["enables"] and one["fix"]) for one in found.values())
    _, out, _ = call(capsys, "doctor", "--runs", tmp_path)
    assert all(name in out for name in found)


OWN_BENCHMARK = """
name: own
title: Two of four cannot be stated
licence: MIT
toolchain: core
splits: {test: 4}
source: {columns: {name: name}}
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> str:
    """A benchmark of one's own with statements that the embedded core does not take."""
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "own.yaml").write_text(OWN_BENCHMARK)
    texts = ("x : 1 = 1", "y : 1 =", "z (a : ℝ) : a = a", "w (n : Nat) : n + 0 = n")
    rows = [{"name": t[0], "formal_statement": f"theorem {t} := by sorry"} for t in texts]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    monkeypatch.setenv("HARNESS_BENCHMARKS", str(tmp_path / "b"))
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    assert call(capsys, "data", "fetch", "own", "--from", tmp_path / "rows.jsonl", "--plain")[0] == 0
    return "own"


def test_statements_that_cannot_be_stated_are_the_users(own: str, tmp_path: Path, capsys: Captured) -> None:
    code, out, _ = call(capsys, "data", "validate", own, "--plain")
    assert code == 1 and "test/y: cannot be stated: " in out and "test/z: cannot be stated: " in out
    assert "own: 2 of 4 problems can be stated; none has a gold proof" in out
    argv = ("eval", "--benchmark", own, "--split", "test", "--prover", "portfolio", "--set", "rounds=0")
    code, out, err = call(
        capsys, *argv, "--set", "tracking.wandb=off", "--plain", "--runs", tmp_path / "runs"
    )
    last = err.splitlines()[-1]
    assert code == 2 and "core cannot state 2 of your statements: y, z: " in last
    assert "no row is published" in last and "`harness data validate own` names them all" in last
    assert "embedded.eval" in out, "what was attempted is shown"


def test_the_limit_of_one_split_is_not_for_another(tmp_path: Path, capsys: Captured) -> None:
    argv = ("eval", "--prover", "portfolio", "--dry-run", "--runs", tmp_path)
    for split, owed in (("valid", 204), ("test", 404)):
        code, out, _ = call(capsys, *argv, "--split", split)
        assert code == 0 and f"{owed} attempts are owed (4 at canaries)" in out


def test_a_setting_of_the_evaluation_reaches_the_one_that_is_made(tmp_path: Path, capsys: Captured) -> None:
    argv = ("eval", "--prover", "portfolio", "--dry-run", "--runs", tmp_path)
    settings = (), ("--set", "evaluations.0.prover.expansions=7"), ("--set", "search.expansions=7")
    one, *others = (call(capsys, *argv, *given)[1] for given in settings)
    assert one not in others and others[0] == others[1], "the folder's name holds the settings"
    goal = ("--set", "evaluations.0.prover.goal=whole")
    told = mistake(capsys, "eval", "--prover", "mcts", *goal, "--dry-run", "--runs", tmp_path)
    assert "evaluations.0.prover.goal: unknown key; did you mean 'goals'?" in told


def test_show_a_run_and_a_problem(runs: Path, capsys: Captured) -> None:
    stored(
        runs,
        "c.search-0",
        [record(SMOKE[0], "proved", "exact \x1b[31mh"), record(SMOKE[1], "rejected", "no")],
    )
    code, out, _ = call(capsys, "show", "c.search-0", "--runs", runs)
    assert (
        code == 0 and f"harness show {runs / 'c.search-0'} {SMOKE[0].id}" in out and "4 of 4 problems" in out
    )
    _, out, _ = call(capsys, "show", "c.search-0", "--status", "rejected", "--runs", runs)
    assert SMOKE[1].id in out and "1 of 4 problems, rejected" in out
    _, out, _ = call(capsys, "show", "c.search-0", SMOKE[0].id, "--runs", runs)
    assert SMOKE[0].statement in out and "verdict: strict; core" in out
    assert "exact \\u001b[31mh" in out and "\x1b" not in out
    told = mistake(capsys, "show", "c.search-0", SMOKE[0].id + "x", "--runs", runs)
    assert f"has no problem called '{SMOKE[0].id}x'; did you mean '{SMOKE[0].id}'" in told
    _, out, _ = call(capsys, "show", "c.search-0", SMOKE[0].id, "--json", "--runs", runs)
    assert json.loads(out)["attempts"][0]["status"] == "proved"


def test_show_a_training_curve(tmp_path: Path, capsys: Captured) -> None:
    stage = tmp_path / "stages" / "grpo-abc123.partial"
    stage.mkdir(parents=True)
    (stage / "curve.jsonl").write_text('{"step": 1, "reward": 0.25}\n{"step": 2, "reward": 0.5}\n')
    code, out, _ = call(capsys, "show", "grpo-abc", "--charts", tmp_path / "c", "--runs", tmp_path)
    assert code == 0 and "not finished" in out and "steps 1 to 2" in out
    assert "<svg" in (tmp_path / "c" / "reward.svg").read_text()


def test_runs_are_filtered_and_followed(runs: Path, capsys: Captured) -> None:
    def listed(*argv: object) -> list[str]:
        _, out, _ = call(capsys, "runs", *argv, "--json", "--runs", runs)
        return [one["name"] for one in json.loads(out)]

    assert listed("b.") == ["b.search-0", "b.search-1"]
    assert listed("--where", "seed=1") == ["a.search-1", "b.search-1"]
    assert listed("--state", "owed") == []
    assert "--where sed: no run has this setting" in mistake(
        capsys, "runs", "--where", "sed=1", "--runs", runs
    )
    code, out, _ = call(capsys, "runs", "--follow", "b.search-0", "--runs", runs)
    assert code == 0 and f"[1/4] {SMOKE[0].id} #0 proved (ok)" in out and "complete" in out


def test_a_board_in_every_form(runs: Path, capsys: Captured, tmp_path: Path) -> None:
    def board(*argv: object) -> tuple[int, str, str]:
        return call(capsys, "leaderboard", "smoke", *argv, "--runs", runs)

    made = record(SMOKE[0])
    searched = dataclasses.replace(made.attempt, search=SearchStats(expanded=3))
    rest = [record(problem, "rejected", "nonsense") for problem in SMOKE[1:4]]
    found = [dataclasses.replace(made, attempt=searched), *rest]
    stored(runs, "c.search-0", found, search__alpha=0.25)
    _, out, _ = board("--csv")
    assert out.startswith("board,benchmark,problems,") and ",c.search-0," in out
    _, out, err = board("--charts", tmp_path / "c")
    assert "charts of smoke in" in err and list((tmp_path / "c").glob("*.svg"))
    assert board("--charts", tmp_path / "c", "--format", "pdf")[0] == 2
    _, out, _ = board("--baseline", "a.search-0", "--sort", "name")
    assert "(baseline)" in out
    assert "--baseline z: no ranked row of smoke" in mistake(
        capsys, "leaderboard", "smoke", "--baseline", "z", "--runs", runs
    )
    prices = tmp_path / "prices.yaml"
    prices.write_text("lean_hour: 3600\n")
    _, out, _ = board("--prices", prices, "--json")
    row = json.loads(out)["sections"][0]["rows"][0]
    assert row["cost"]["per_attempt"]["dollars"] == pytest.approx(row["cost"]["per_attempt"]["lean_s"])
    prices.write_text("gpu_hours: 2\n")
    told = mistake(capsys, "leaderboard", "smoke", "--prices", prices, "--runs", runs)
    assert "gpu_hours: not a price in dollars; did you mean 'gpu_hour'" in told


def test_compare_leads_with_a_sentence_and_can_fail_a_ci(runs: Path, capsys: Captured) -> None:
    code, out, _ = call(capsys, "compare", "a.search-0", "b.search-0", "--runs", runs)
    assert code == 0 and out.startswith("B ") and "p (Holm)" in out
    found = json.loads(call(capsys, "compare", "a.search-0", "b.search-0", "--runs", runs, "--json")[1])
    assert found["headline"] in out.replace("\n", " ")
    worse = any(figure["verdict"] == "worse" for figure in found["figures"])
    code, _, _ = call(capsys, "compare", "a.search-0", "b.search-0", "--runs", runs, "--fail-if-worse")
    assert code == int(worse)
    assert "--margin 3.0" in mistake(
        capsys, "compare", "a.search-0", "b.search-0", "--margin", 3, "--runs", runs
    )
