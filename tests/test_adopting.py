"""`harness adopt`: plain Hugging Face folders as checkpoints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import checkpoints, cli
from harness.experiment.adoption import OTHER_PROMPTS
from harness.prompts import embedded

Captured = pytest.CaptureFixture[str]


def plain(path: Path, ends: str = "ForCausalLM", tokens: tuple[str, ...] = embedded.SPECIAL_TOKENS) -> Path:
    path.mkdir()
    (path / "config.json").write_text(json.dumps({"architectures": [f"Llama{ends}"]}))
    added = [{"id": place, "content": token} for place, token in enumerate(tokens)]
    (path / "tokenizer.json").write_text(json.dumps({"added_tokens": added}))
    (path / "model.safetensors").write_bytes(b"weights of " + path.name.encode())
    return path


def adopt(*argv: object) -> int:
    return cli.main(["adopt", *map(str, argv)])


@pytest.mark.parametrize(
    ("ends", "kind"), [("ForCausalLM", "generator"), ("ForSequenceClassification", "value")]
)
def test_a_plain_folder_becomes_a_checkpoint(tmp_path: Path, capsys: Captured, ends: str, kind: str) -> None:
    parent, child = plain(tmp_path / "parent"), plain(tmp_path / "child", ends)
    assert adopt(parent) == 0 == adopt(child, "--parent", parent)
    found = checkpoints.read(child)
    assert (found.kind, found.prompt_format, found.adopted) == (kind, embedded.FORMAT, str(child))
    assert found.parent == checkpoints.read(parent).weights != found.weights
    assert checkpoints.intact(child, found.kind).weights == checkpoints.weights_hash(child)
    assert found.weights[:12] in capsys.readouterr().out


@pytest.mark.parametrize("copy", [False, True])
def test_under_a_name_the_folder_stays_as_it_is(tmp_path: Path, capsys: Captured, copy: bool) -> None:
    source, runs = plain(tmp_path / "model"), tmp_path / "runs"
    before = sorted(source.iterdir())
    assert adopt(source, "--as", "mine", "--runs", runs, *(["--copy"] if copy else [])) == 0
    out = runs / "checkpoints" / "mine"
    assert sorted(source.iterdir()) == before
    assert (out / "model.safetensors").is_symlink() is not copy
    assert checkpoints.intact(out, "generator").adopted == str(source)


def test_a_tokenizer_of_others_is_told(tmp_path: Path, capsys: Captured) -> None:
    source = plain(tmp_path / "model", tokens=("<s>",))
    assert adopt(source) == 0
    assert checkpoints.read(source).prompt_format == OTHER_PROMPTS
    assert "policy: {kind: transformers" in capsys.readouterr().out


def test_a_plain_folder_is_told_of_adoption(tmp_path: Path) -> None:
    source = plain(tmp_path / "model")
    with pytest.raises(Exception, match=f"if it is one: harness adopt {source}; train it again"):
        checkpoints.read(source)


def test_mistakes_are_one_line(tmp_path: Path, capsys: Captured) -> None:
    done, bare = plain(tmp_path / "done"), plain(tmp_path / "bare")
    other = plain(tmp_path / "other", "Model")
    assert adopt(done) == 0
    (bare / "model.safetensors").unlink()
    for argv, told in (
        ((tmp_path / "none",), "no such folder"),
        ((done,), "is a checkpoint already"),
        ((done, "--copy"), "--copy needs --as NAME"),
        ((done, "--as", "../n"), "no plain name"),
        ((bare,), "lacks model.safetensors"),
        ((other,), "architectures: LlamaModel is neither"),
        ((done, "--as", "n", "--parent", other, "--runs", tmp_path), "if it is one: harness adopt"),
    ):
        assert adopt(*argv) == 2
        assert told in capsys.readouterr().err
