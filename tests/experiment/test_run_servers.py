"""Servers that a run starts for its own checkpoints: shared, watched, and never left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.errors import SpecError, UserError
from harness.experiment import starting
from harness.experiment.evaluation import evaluations
from harness.experiment.exclusions import check_settings
from harness.experiment.plan import plan
from harness.experiment.servers import HOST, ToServe, of_run, planned
from harness.experiment.spec import ExperimentSpec, build
from harness.nested import override
from harness.processes.keeper import descendants
from harness.records.journal import read_rows
from tests.processes.test_servers import free_port
from tests.tiny_models import make_causal_lm
from tests.trainers.openrlhf.making import changed
from trainers.openrlhf import engines

STUB = Path(__file__).with_name("stub_vllm.py")
TOP = Path(__file__).parents[2]
PROMPT = "deepseek-prover-v1.5"
WHOLE = {"prover": "whole_proof", "problems": {"benchmark": "smoke", "split": "test", "limit": 6}}


@pytest.fixture
def python(tmp_path: Path) -> str:
    """An interpreter for which vLLM's server is the stand-in."""
    path = tmp_path / "python"
    path.write_text(f'#!/bin/sh\nexec {sys.executable} {STUB} "$@"\n')
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def file(tmp_path: Path, python: str) -> Path:
    """An experiment of two evaluations of one generator."""
    folder = make_causal_lm(tmp_path / "plain", context=512)
    assert main(["adopt", str(folder)]) == 0
    path = tmp_path / "served.json"
    data = {
        "name": "served",
        "lean": {"service": "core"},
        "train": {"benchmark": "core-curriculum", "split": "train"},
        "rounds": 0,
        "generator": {"checkpoint": str(folder), "prompt": PROMPT},
        "whole_proof": {"max_new_tokens": 16},
        "evaluations": [{**WHOLE, "name": "first"}, {**WHOLE, "name": "second", "samples": 2}],
        "tracking": {"wandb": "off"},
        "runtime": {"threads": 1, "canaries": 0, "concurrency": 2},
        "node": {"serving": {"port": free_port(), "python": python, "start_timeout_s": 60.0}},
    }
    path.write_text(json.dumps(data))
    return path


def run(file: Path, *more: str, command: str = "run") -> int:
    return main([command, str(file), "--runs", str(file.parent / "runs"), "--plain", *more])


def records(file: Path, name: str) -> list[Any]:
    [folder] = (file.parent / "runs").glob(f"served.{name}-*")
    return [row for _, row in read_rows(folder / "records.jsonl")]


def nothing_left() -> bool:
    """No server and no keeper runs; what other tests' libraries started may."""
    found = [Path(f"/proc/{number}/cmdline") for number in descendants(os.getpid())]
    words = b"".join(path.read_bytes() for path in found if path.exists())
    return STUB.name.encode() not in words and b"keeper.py" not in words


def test_evaluations_of_one_checkpoint_share_a_server(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file) == 0
    assert capsys.readouterr().err.count("vLLM server of plain ...") == 1
    assert (len(records(file, "first")), len(records(file, "second"))) == (6, 12)
    assert all(row["attempt"]["proof"] == "  trivial" for row in records(file, "first"))
    [folder] = (file.parent / "runs").glob("served.first-*")
    told = json.loads((folder / "logs" / "servers" / "generator-0.exit.json").read_text())
    assert told["ended"] == "stopped" and nothing_left()
    assert (folder / "logs" / "servers" / "generator-0.log").read_text().startswith("loading")
    assert json.loads((folder / "spec.json").read_text())["generator"]["served"] == "vllm"
    told = json.loads((folder / "provenance.json").read_text())
    assert [session["served_by"] for session in told["sessions"]] == [{"vllm": "0.32.0"}]
    assert run(file) == 0  # nothing is owed, so nothing is started
    assert "vLLM server" not in capsys.readouterr().err


def test_one_that_does_not_start_stops_the_run_with_its_last_words(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STUB_VLLM", "dies")
    assert run(file) == 1 and nothing_left()
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("harness: generator-0: ended with exit code 3: ValueError: Free memory on device")
    monkeypatch.setenv("STUB_VLLM", "mute")  # and not with those of the one before
    assert run(file) == 1 and nothing_left()
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("harness: generator-0: ended with exit code 137: loading; see ")
    before = Path(said.removesuffix(".log").rpartition(" ")[2] + ".before.log")
    assert "Free memory on device" in before.read_text()
    monkeypatch.setenv("STUB_VLLM", "deaf")
    assert run(file, "--set", "node.serving.start_timeout_s=1.0") == 1 and nothing_left()
    assert "generator-0: not well after 1 s; see " in capsys.readouterr().err
    monkeypatch.setenv("STUB_VLLM", "other")
    assert run(file) == 2 and nothing_left()
    assert "does not serve 'plain'; it serves: another" in capsys.readouterr().err


def test_one_that_dies_at_work_stops_the_run_and_the_same_command_goes_on(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STUB_VLLM", "4")
    once = file.parent / "once"
    once.touch()
    monkeypatch.setenv("STUB_ONCE", str(once))
    assert run(file) == 1 and nothing_left()
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(
        "harness: generator-0: ended with exit code 9: CUDA error: an illegal memory access"
    )
    made = records(file, "first")
    assert 0 < len(made) < 6 and not [row for row in made if row["verdict"]["status"] == "infra"]
    assert run(file) == 0 and nothing_left()
    assert records(file, "first")[: len(made)] == made and len(records(file, "second")) == 12


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        (
            ["loading", "(Worker pid=7) ERROR [a.py:3] RuntimeError: no offset", "leaked"],
            "RuntimeError: no offset",
        ),
        (
            [
                "ValueError: Free memory",
                "RuntimeError: Engine core initialization failed. See root cause above.",
            ],
            "ValueError: Free memory",
        ),
        (["gone"], "gone"),
        ([], "it printed nothing"),
    ],
)
def test_the_last_words_are_the_error_and_not_what_follows_it(
    printed: list[str], said: str, tmp_path: Path
) -> None:
    [server] = of_run(node(node__gpus=0), ToServe(("/m/a",)), [], tmp_path)
    server.process.log.write_text("".join(f"{line}\n" for line in printed))
    assert f"exit code unknown: {said}; see " in str(starting.ended(server, tmp_path))
    assert "--no-enable-chunked-prefill" in server.process.argv


def test_whether_one_is_well_is_asked_past_a_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setattr(urllib.request, "_opener", None)  # one that was made before knows no proxy
    spec = node(node__serving={"context": 8192, "port": free_port()})
    [server] = of_run(spec, ToServe(("/m/a",)), ["0"], tmp_path)

    class Well(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

    with HTTPServer((HOST, server.port), Well) as listening:
        threading.Thread(target=listening.handle_request, daemon=True).start()
        assert starting.well(server)


def test_a_port_that_is_taken_is_told_before_anything_starts(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("harness.experiment.preflight.PATIENCE_S", 0.0)
    with socket.socket() as other:
        other.bind(("127.0.0.1", json.loads(file.read_text())["node"]["serving"]["port"]))
        other.listen()
        assert run(file) == 2
        assert "node.serving.port: generator-0: port" in capsys.readouterr().err
        assert run(file, "--dry-run") == 0
        assert "Address already in use" in capsys.readouterr().out
    assert not (file.parent / "runs").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_no_server(file: Path, number: signal.Signals) -> None:
    command = [
        sys.executable,
        "-m",
        "harness",
        "run",
        str(file),
        "--runs",
        str(file.parent / "runs"),
        "--plain",
    ]
    environment = {**os.environ, "PYTHONPATH": str(TOP), "STUB_VLLM": "deaf"}
    driver = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 300
    while not (log := list((file.parent / "runs").glob("*/logs/servers/*.log"))) and time.monotonic() < until:
        time.sleep(0.05)
    family = descendants(driver.pid)
    assert log and len(family) >= 2
    driver.send_signal(number)
    _, said = driver.communicate(timeout=120)
    if number is signal.SIGTERM:
        assert driver.returncode == 130 and said.splitlines()[-1].startswith("harness: interrupted")
    while left := [one for one in family if Path(f"/proc/{one}").exists() and not _zombie(one)]:
        assert time.monotonic() < until + 30, left
        time.sleep(0.05)


def _zombie(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_point_of_a_sweep_finds_the_servers_of_the_one_before(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = {
        "name": "temperatures",
        "method": "grid",
        "parameters": {"whole_proof.temperature": {"values": [0.5, 1.0]}, "base": {"value": str(file)}},
    }
    path = file.parent / "sweep.yaml"
    path.write_text(json.dumps(sweep))
    assert run(path, command="sweep") == 0 and nothing_left()
    assert capsys.readouterr().err.count("vLLM server of plain ...") == 1


NODE: dict[str, Any] = {
    "generator.prompt": "deepseek-prover-v2-resumed",
    "generator.dtype": "bfloat16",
    "rounds": 2,
    "trajectories.search": {"alpha": 0.5},
    "value.trainer": {"max_tokens": 1024},
    "value.backbone": "meta-llama/Llama-3.2-1B",
    "node.serving": {"context": 8192, "port": 8200},
}


def node(**changes: Any) -> ExperimentSpec:
    return changed({**NODE, **{key.replace("__", "."): value for key, value in changes.items()}})


def test_each_gpu_has_a_server_of_each_model(tmp_path: Path) -> None:
    found = planned(node())
    assert [(item.name, item.port, item.process.gpus) for item in found] == [
        *((f"generator-{n}", 8200 + n, (n,)) for n in range(8)),
        *((f"value-{n}", 8208 + n, (n,)) for n in range(8)),
    ]
    argv = " ".join(found[0].process.argv)
    assert argv.endswith("--gpu-memory-utilization 0.8 --max-model-len 8192 --dtype bfloat16")
    assert "--runner pooling" in " ".join(found[8].process.argv)
    assert " ".join(found[8].process.argv).endswith("--max-model-len 1024 --dtype float32")
    halved = node(node__serving={"tensor_parallel": 4, "port": 8200})
    assert [item.process.gpus for item in planned(halved)] == [(0, 1, 2, 3), (4, 5, 6, 7), (0,), (4,)]


def test_a_share_of_the_gpus_has_ports_of_its_own(tmp_path: Path) -> None:
    found = of_run(node(), ToServe(("/m/a",), ("/m/v",)), ["4", "5"], tmp_path)
    assert [(item.port, item.process.gpus) for item in found] == [
        (8204, (0,)),
        (8205, (1,)),
        (8212, (0,)),
        (8213, (1,)),
    ]
    two = of_run(node(), ToServe(("/m/a", "/m/b")), ["0", "1", "2", "3"], tmp_path)
    assert [item.model for item in two] == ["/m/a", "/m/b", "/m/a", "/m/b"]
    with pytest.raises(UserError, match="2 generators are asked at a time and the 1 GPUs in sight"):
        of_run(node(), ToServe(("/m/a", "/m/b")), ["0"], tmp_path)


def digests(spec: ExperimentSpec, tmp_path: Path) -> tuple[list[str], list[str]]:
    made = plan(spec)
    return [key.digest for _, key in made.stages()], [
        item.folder(tmp_path).name for item in evaluations(made)
    ]


def test_who_answers_is_in_the_digest_of_what_it_changes_and_where_is_not(tmp_path: Path) -> None:
    folder = make_causal_lm(tmp_path / "plain")
    assert main(["adopt", str(folder)]) == 0
    here: dict[str, Any] = {
        **{"generator__checkpoint": str(folder), "value__backbone": None, "rounds": 1},
        "trajectories__problems": 4,
    }
    served = digests(node(**here), tmp_path)
    [[*alone], [row]] = digests(node(**here, node__serving=None), tmp_path)
    assert served[0][0] != alone[0] and served[0][1] != alone[1] and served[1] != [row]
    assert served[0][2] == alone[2]  # GRPO asks engines of its own.
    moved = {"port": 9000, "memory": 0.5, "in_flight": 3, "python": "/x", "context": 8192}
    assert digests(node(**here, node__serving=moved), tmp_path) == served
    assert digests(node(**here, node__serving={**moved, "context": 4096}), tmp_path) != served


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"generator__prompt": None}, "node.serving: is for a generator that answers by a family"),
        ({"generator__dtype": "float64"}, "generator.dtype: vLLM does not compute in float64"),
    ],
)
def test_what_cannot_be_served(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=told):
        check_settings(node(**changes))


@pytest.mark.parametrize(
    ("serving", "told"),
    [
        ({"tensor_parallel": 3}, "serving.tensor_parallel: 8 GPUs are no multiple of 3"),
        ({"memory": 0.95}, "memory: 0.95 and value_memory 0.1 are more than 1"),
        ({"prot": 1}, "unknown key; did you mean 'port'?"),
    ],
)
def test_settings_that_cannot_be(serving: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError) as caught:
        node(node__serving=serving)
    assert told in str(caught.value)


def test_what_does_not_fit_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert engines.arithmetic(node()) == []
    [memory] = engines.arithmetic(node(node__serving={"memory": 0.1, "context": 8192}))
    assert memory.startswith("node.serving.memory: a server's 14.0 GiB do not hold 12.7 GiB of weights")
    [value] = engines.arithmetic(node(node__serving={"value_memory": 0.02, "context": 8192}))
    assert value.startswith("node.serving.value_memory: a server's 2.8 GiB do not hold 4.6 GiB of weights")
    [tokens] = engines.arithmetic(node(node__serving={"context": 4096}))
    assert tokens.startswith(
        "whole_proof.max_new_tokens: 4096 leaves no room for a prompt in the 4096 tokens"
    )
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    python, gpus = engines.machine(node(node__serving={"python": "/nowhere", "tensor_parallel": 2}))
    assert python.startswith("node.serving.python: /nowhere does not run")
    assert gpus.startswith("node.gpus: a server of node.serving wants 2 and none is in sight here")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    [lacks] = engines.machine(node(node__serving={"port": free_port()}))
    assert lacks.endswith("set node.serving: null") and " lacks vllm; " in lacks


def test_servers_of_harness_up_are_in_the_way(
    file: Path, python: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    data = json.loads(file.read_text())
    up = {"name": "by-hand", "kind": "generator", "port": free_port(), "model": "m", "gpus": [0]}
    data["node"] |= {"gpus": 1, "servers": [{**up, "python": python}]}
    file.write_text(json.dumps(data))
    runs = ["--runs", str(file.parent / "runs")]
    try:
        assert main(["up", str(file), *runs]) == 0
        assert run(file) == 2
        assert "node.servers: by-hand is up on GPUs that are wanted here" in capsys.readouterr().err
    finally:
        assert main(["down", str(file), *runs]) == 0
    assert run(file) == 0


TRAINER = TOP / "tests" / "trainers" / "openrlhf" / "stub.py"
PORT_IS_FREE = "import socket, sys; socket.create_server(('127.0.0.1', int(sys.argv[1]))).close()"


def test_servers_end_before_the_gpus_are_trained_on(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The frontier is sampled by a server within the stage whose trainer then finds its port free."""
    data = trained_here(file, monkeypatch)
    data |= {
        "rounds": 1,
        "grpo": {
            **{"samples": 2, "prompts": 2, "steps": 1, "max_difficulty": 3},
            "frontier": {"samples": 1, "least": 0.0, "most": 1.0},
        },
    }
    file.write_text(json.dumps(data))
    assert run(file) == 0 and nothing_left()
    [stage] = (file.parent / "runs" / "stages").glob("grpo-*")
    assert json.loads((stage / "servers" / "generator-0.exit.json").read_text())["ended"] == "stopped"
    assert capsys.readouterr().err.count("vLLM server of grpo-") == 2  # begun, and up, for the evaluation
    [spec] = (file.parent / "runs").glob("served.first-*/spec.json")
    assert json.loads(spec.read_text())["generator"]["rounds"] == 1


def trained_here(file: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The experiment with one round's settings, trained by a stand-in that begins where the port is free."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setattr("trainers.openrlhf.checks.machine", lambda *_: [])
    data: dict[str, Any] = json.loads(file.read_text())
    trainer, port = file.parent / "trainer", data["node"]["serving"]["port"]
    free = f'{sys.executable} -c "{PORT_IS_FREE}" {port}'
    trainer.write_text(f'#!/bin/sh\n{free} && exec {sys.executable} {TRAINER} "$@"\n')
    trainer.chmod(0o755)
    openrlhf = {
        **{"placement": "colocated", "engines": 1, "vllm_memory": 0.2, "zero_stage": 2, "attention": "sdpa"},
        **{"packing": False, "micro_batch": 2, "gradient_checkpointing": False, "python": str(trainer)},
    }
    data["node"] |= {"gpus": 1, "cpus": 4, "memory_gb": 64.0}
    return data | {
        "train": {"benchmark": "core-curriculum", "split": "train", "limit": 4, "max_difficulty": 2},
        "improve": {"backend": "openrlhf", "openrlhf": openrlhf},
        "value": {"trainer": {}},
        "trajectories": {"samples": 1},
        "evaluations": data["evaluations"][:1],
    }


def test_two_rounds_of_expert_iteration_of_a_served_generator(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sampled by a server, verified, kept, trained on in the family's own form; the second round goes on with
    what the first one made, and learns from the proofs of both."""
    data = trained_here(file, monkeypatch)
    data["improve"]["method"] = "expert_iteration"
    data |= {
        "rounds": 2,
        "train": {"benchmark": "core-curriculum", "split": "train", "limit": 60, "max_difficulty": 1},
        "trajectories": {"samples": 1, "problems": 40},
        "whole_proof": {"max_new_tokens": 250},
        "expert_iteration": {"steps": 2, "batch_size": 2},
    }
    file.write_text(json.dumps(data))
    assert run(file) == 0 and nothing_left()
    stages = list((file.parent / "runs" / "stages").glob("expert_iteration-*"))
    told = {json.loads((path / "stage.json").read_text())["inputs"]["round"]: path for path in stages}
    first, second = told[1], told[2]
    sealed = [json.loads((path / "checkpoint.json").read_text()) for path in (first, second)]
    assert sealed[1]["parent"] == sealed[0]["weights"] != sealed[1]["weights"]
    rows = [json.loads(line) for line in (second / "openrlhf" / "rows.jsonl").read_text().splitlines()]
    assert {row["label"] for row in rows} == {"  trivial\n```<|end|>"}
    assert all(row["prompt"].endswith(" := by\n") for row in rows)
    counts = [json.loads((path / "stage.json").read_text())["metrics"] for path in (first, second)]
    assert 0 < counts[0]["theorems"] < counts[1]["theorems"] == counts[1]["examples"]
    assert len((second / "curve.jsonl").read_text().splitlines()) == 2
    assert "vLLM server of expert_iteration-" in capsys.readouterr().err


def test_a_plan_shows_the_servers(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(file), "--json"]) == 0
    [point] = json.loads(capsys.readouterr().out)["points"]
    [server] = point["servers"]
    assert server["port"] == json.loads(file.read_text())["node"]["serving"]["port"]
    assert "its servers start: 60 s" in point["costs"][0]["arithmetic"]
    assert not any("servers start" in line for line in point["costs"][1]["arithmetic"])
    assert run(file, "--dry-run") == 0
    assert "generator-0 on port" in capsys.readouterr().out


def test_the_neutral_setting_is_not_written() -> None:
    spec = build(override({**_smallest()}, "node", {"gpus": 1}), "x.yaml")
    assert "serving" not in spec.node.model_dump()


def _smallest() -> dict[str, Any]:
    from tests.test_spec import MINIMAL

    return dict(MINIMAL)
