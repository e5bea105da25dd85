"""Stages: made once, whole or not at all."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.experiment.cache import StageKey, build, finished
from harness.experiment.spec import ValueSpec

KEY = StageKey("value", {"spec": ValueSpec(gamma=0.9), "generator": "abc", "seed": 1})


def test_a_stage_is_made_once_and_keeps_its_metrics(tmp_path: Path) -> None:
    calls = []

    def make(folder: Path) -> dict[str, float]:
        calls.append(folder)
        (folder / "weights").write_text("w")
        return {"loss": 0.5}

    assert finished(tmp_path, KEY) is None
    first, second = build(tmp_path, KEY, make), build(tmp_path, KEY, make)
    assert len(calls) == 1
    assert (first.cached, second.cached) == (False, True)
    assert first.metrics == second.metrics == {"loss": 0.5}
    assert second.seconds == first.seconds
    assert (second.folder / "weights").read_text() == "w"
    assert second.folder.name == f"value-{KEY.digest}"


def test_whatever_a_stage_depends_on_makes_another_stage() -> None:
    others = [
        StageKey("value", {**KEY.inputs, "seed": 2}),
        StageKey("value", {**KEY.inputs, "spec": ValueSpec(gamma=0.91)}),
        StageKey("value", {**KEY.inputs, "generator": "abd"}),
    ]
    assert len({KEY.digest, *(other.digest for other in others)}) == 4


@pytest.mark.parametrize("copied", ["stage.json", "states.jsonl"])
def test_a_stage_of_files_from_two_machines_is_not_used(tmp_path: Path, copied: str) -> None:
    def make(text: str) -> Callable[[Path], dict[str, float]]:
        def fill(folder: Path) -> dict[str, float]:
            (folder / "states.jsonl").write_text(text)
            return {"states": float(len(text))}

        return fill

    one, two = build(tmp_path / "one", KEY, make("a")), build(tmp_path / "two", KEY, make("bb"))
    (one.folder / copied).write_bytes((two.folder / copied).read_bytes())
    with pytest.raises(StoreError, match=r"states\.jsonl: not the file that stage\.json was written beside"):
        finished(tmp_path / "one", KEY)
    for name in ("stage.json", "states.jsonl"):
        (one.folder / name).write_bytes((two.folder / name).read_bytes())
    assert finished(tmp_path / "one", KEY) is not None, "a stage copied as a whole is that stage"


def test_a_failed_stage_is_never_used(tmp_path: Path) -> None:
    def fails(folder: Path) -> dict[str, float]:
        (folder / "half").write_text("")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        build(tmp_path, KEY, fails)
    assert finished(tmp_path, KEY) is None
    left = []

    def again(folder: Path) -> dict[str, float]:
        left.extend(item.name for item in folder.iterdir())
        return {}

    build(tmp_path, KEY, again)
    assert left == ["half"], "the next try goes on from it"


MAKE = """
import sys, time
from pathlib import Path
from harness.experiment.cache import StageKey, build
def make(folder):
    with open(sys.argv[1] + "/made", "a") as file: file.write("x")
    time.sleep(0.3)
    return {}
print(build(Path(sys.argv[1]), StageKey("s", {"a": 1}), make).cached)
"""


def test_two_processes_make_it_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MAKE, str(tmp_path)]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = sorted(child.communicate()[0].strip() for child in children)
    assert said == ["False", "True"]
    assert (tmp_path / "made").read_text() == "x"


def test_a_broken_stage_file_is_named(tmp_path: Path) -> None:
    build(tmp_path, KEY, lambda folder: {})
    (KEY.folder(tmp_path) / "stage.json").write_text("[]")
    with pytest.raises(StoreError, match=r"stage\.json: not a stage; delete"):
        finished(tmp_path, KEY)
