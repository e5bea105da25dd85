"""`harness up`, `status`, `down`: servers outlive the command that starts them, and end with `down`."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.errors import SpecError
from harness.experiment import files
from harness.experiment.servers import servers
from harness.experiment.spec import build
from harness.nested import override
from harness.processes import keeper
from tests.test_spec import MINIMAL


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def profile(folder: Path, *listed: dict[str, Any], gpus: int = 0) -> Path:
    data = override(MINIMAL, "node", {"gpus": gpus, "servers": list(listed)})
    path = folder / "profile.json"
    path.write_text(json.dumps(data))
    return path


def lean(port: int, name: str = "lean") -> dict[str, Any]:
    return {"name": name, "kind": "lean", "port": port, "start_timeout_s": 60.0}


def call(folder: Path, command: str, path: Path, *more: str) -> int:
    return main([command, str(path), "--runs", str(folder / "runs"), *more])


def test_up_status_down(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = profile(tmp_path, lean(free_port()))
    try:
        assert call(tmp_path, "up", path) == 0
        capsys.readouterr()
        assert call(tmp_path, "up", path, "--json") == 0  # it is there already
        (told,) = json.loads(capsys.readouterr().out)
        assert (told["state"], told["kind"]) == ("up", "lean")
        family = [told["pid"], *keeper.descendants(told["pid"])]
        assert len(family) >= 2 and Path(told["log"]).read_text().startswith("Lean server on ")
    finally:
        assert call(tmp_path, "down", path) == 0
    assert not [number for number in family if Path(f"/proc/{number}").exists() and not _zombie(number)]
    assert call(tmp_path, "status", path) == 1
    assert call(tmp_path, "down", path) == 0
    assert "was not running" in capsys.readouterr().out


def test_a_server_that_died_is_down_and_comes_up_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = profile(tmp_path, lean(free_port()))
    try:
        assert call(tmp_path, "up", path, "--json") == 0
        (told,) = json.loads(capsys.readouterr().out)
        (server, *_) = keeper.descendants(told["pid"])
        os.kill(server, signal.SIGKILL)
        for _ in range(2000):
            if not Path(f"/proc/{told['pid']}").exists() or _zombie(told["pid"]):
                break
            time.sleep(0.05)
        assert call(tmp_path, "status", path) == 1
        assert call(tmp_path, "up", path) == 0
    finally:
        assert call(tmp_path, "down", path) == 0


def test_one_that_fails_takes_the_others_down(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = {
        **{"name": "prover", "kind": "generator", "port": free_port(), "model": "nowhere"},
        **{"python": "/bin/false", "start_timeout_s": 60.0},
    }
    path = profile(tmp_path, lean(free_port()), broken)
    assert call(tmp_path, "up", path) == 1
    assert "prover: ended with exit code 1: it printed nothing; see " in capsys.readouterr().err
    assert call(tmp_path, "status", path, "--json") == 1
    assert {row["state"] for row in json.loads(capsys.readouterr().out)} == {"down"}


def test_a_port_that_is_taken_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert call(tmp_path, "up", profile(tmp_path, lean(port))) == 2
    assert f"node.servers: lean: port {port} cannot be had: Address already in use" in capsys.readouterr().err


def test_no_server_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(tmp_path, "up", profile(tmp_path)) == 2
    assert "node.servers: names no server" in capsys.readouterr().err


VALUE_SERVER = (
    "-m vllm.entrypoints.openai.api_server --host 127.0.0.1 --port 9000 --model /models/value/ "
    "--served-model-name value --runner pooling --tensor-parallel-size 2 --gpu-memory-utilization 0.9"
)


def test_argument_lists_and_gpus(tmp_path: Path) -> None:
    listed = servers(files.load(files.base_file("node8")), tmp_path)
    assert [server.process.gpus for server in listed] == [(0,), (1,), (2,), (3,)]
    value = {"name": "v", "kind": "value", "port": 9000, "model": "/models/value/", "gpus": [0, 1]}
    spec = build(override(MINIMAL, "node", {"gpus": 2, "servers": [value, lean(9001)]}), "x.yaml")
    first, second = servers(spec, tmp_path)
    assert " ".join(first.process.argv[1:]) == VALUE_SERVER
    assert " ".join(second.process.argv[1:8]) == "-m harness serve lean --host 127.0.0.1 --port"
    assert second.url == "http://127.0.0.1:9001"


@pytest.mark.parametrize(
    ("listed", "told"),
    [
        ([lean(9000), lean(9000, "other")], "servers: other and lean have the same port 9000"),
        ([lean(9000), lean(9001)], "servers: lean and lean have the same name lean"),
        ([{**lean(9000), "model": "x"}], "model: name one for kind generator and value, and none for lean"),
        ([{"name": "v", "kind": "value", "port": 1}], "model: name one for kind generator and value"),
        (
            [{"name": "v", "kind": "value", "port": 1, "model": "m", "gpus": [2]}],
            "servers: v wants GPU 2 of 2, counted from 0",
        ),
        (
            [
                {"name": n, "kind": "value", "port": p, "model": "m", "gpus": [1]}
                for n, p in (("a", 1), ("b", 2))
            ],
            "servers: b and others want all of GPU 1 and more",
        ),
    ],
)
def test_what_cannot_be_started_together(listed: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(SpecError) as caught:
        build(override(MINIMAL, "node", {"gpus": 2, "servers": listed}), "x.yaml")
    assert told in str(caught.value)


def _zombie(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
