"""What the doctor finds, told from environments made up for it."""

import os
from pathlib import Path

import pytest

from harness import doctor, extras


def test_doctor_tells_what_is_set_up_and_does_not_work(tmp_path: Path) -> None:
    environment = {
        "PATH": str(tmp_path),
        "HOME": str(tmp_path),
        "HARNESS_LEAN_PROJECT": str(tmp_path),
        "HARNESS_LEANCHECKER": str(tmp_path / "absent"),
        "LEAN_SERVER_API_URL": "http://127.0.0.1:9",
        "WANDB_API_KEY": "k",
    }
    smi = tmp_path / "nvidia-smi"
    smi.write_text("#!/bin/sh\nexit 9\n")
    smi.chmod(0o755)
    file = tmp_path / "file"
    file.write_text("")
    found = {one.name: one for one in doctor.examine(file, environment)}
    wrong = {name for name, one in found.items() if one.state == "wrong"}
    assert wrong >= {"gpu", "project", "kimina", "leanchecker", "runs"}
    assert found["wandb"].state == "ok" and found["lake"].state == "absent"
    smi.write_text("#!/bin/sh\necho 'Some GPU, 81559 MiB'\n")
    (tmp_path / "lakefile.toml").write_text("")
    found = {one.name: one for one in doctor.examine(tmp_path / "new", environment)}
    assert found["gpu"].detail == "Some GPU, 81559 MiB" and found["project"].state == "ok"
    assert "can be made" in found["runs"].detail and not (tmp_path / "new").exists()


def test_a_missing_package_is_told_by_the_doctor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(extras.EXTRAS, "local", extras.Extra(("torch", "no-such-package"), "training"))
    found = {one.name: one for one in doctor.examine(tmp_path, dict(os.environ))}
    lost = found["no-such-package"]
    assert lost.state == "absent" and lost.fix.startswith("pip install") and "[local]" in lost.fix
