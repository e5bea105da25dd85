"""Checkpoints: complete or refused, with one clear line."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import checkpoints
from harness.errors import StoreError, UserError


def folder(path: Path, weights: bytes = b"weights") -> Path:
    path.mkdir()
    (path / "model.safetensors").write_bytes(weights)
    for name in ("config.json", "tokenizer.json"):
        (path / name).write_text("{}", encoding="utf-8")
    return path


def test_seal_and_read(tmp_path: Path) -> None:
    parent = folder(tmp_path / "parent")
    first = checkpoints.seal(parent, "generator", prompt_format="f", parent=None, metrics={"loss": 0.5})
    child = folder(tmp_path / "child", b"others")
    second = checkpoints.seal(child, "value", prompt_format="f", parent=parent, metrics={"ece": None})
    assert checkpoints.read(parent) == first and first.parent is None and first.metrics == {"loss": 0.5}
    assert checkpoints.read(child, "value") == second and second.parent == first.weights != second.weights
    assert sorted(path.name for path in child.iterdir() if "checkpoint" in path.name) == ["checkpoint.json"]


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json", "checkpoint.json"])
def test_a_folder_that_lacks_a_file_is_incomplete(tmp_path: Path, name: str) -> None:
    path = folder(tmp_path / "c")
    checkpoints.seal(path, "generator", prompt_format="f", parent=None, metrics={})
    (path / name).unlink()
    with pytest.raises(
        UserError, match=rf"c: incomplete checkpoint, {name} missing.*; train it again"
    ) as caught:
        checkpoints.read(path)
    assert ("a plain Hugging Face folder has none" in str(caught.value)) is (name == checkpoints.SEAL)


def test_what_cannot_be_sealed(tmp_path: Path) -> None:
    path = folder(tmp_path / "c")
    (path / "config.json").unlink()
    with pytest.raises(StoreError, match=r"lacks config\.json"):
        checkpoints.seal(path, "value", prompt_format="f", parent=None, metrics={})
    assert not (path / "checkpoint.json").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"kind": "value"}',
        "[" * 100_000,
        '{"kind": "value", "prompt_format": "f", "parent": null, "weights": 3, "metrics": {}}',
    ],
)
def test_a_broken_description_is_named(tmp_path: Path, text: str) -> None:
    path = folder(tmp_path / "c")
    (path / "checkpoint.json").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"checkpoint\.json: not a checkpoint description"):
        checkpoints.read(path)


def test_missing_folder_and_wrong_kind(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none: no such checkpoint folder"):
        checkpoints.read(tmp_path / "none")
    path = folder(tmp_path / "c")
    checkpoints.seal(path, "generator", prompt_format="f", parent=None, metrics={})
    with pytest.raises(UserError, match="holds a generator model where a value is needed"):
        checkpoints.read(path, "value")


@pytest.mark.parametrize("weights", [b"wei", b"another"])
def test_weights_that_are_not_the_sealed_ones_are_not_loaded(tmp_path: Path, weights: bytes) -> None:
    path = folder(tmp_path / "c")
    sealed = checkpoints.seal(path, "generator", prompt_format="f", parent=None, metrics={})
    assert checkpoints.intact(path, "generator") == sealed
    (path / "model.safetensors").write_bytes(weights)
    with pytest.raises(UserError, match=r"model\.safetensors: not the weights .*delete the folder"):
        checkpoints.intact(path, "generator")
