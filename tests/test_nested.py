"""Reading YAML that somebody else wrote: endless aliases, endless nesting, marks of editors."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from harness.errors import SpecError
from harness.nested import as_read, parse_yaml, read_yaml

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (BOMB, "with its aliases written out it holds more than 1,000,000 values"),
        ("a: &a [*a]", "with its aliases written out"),
        ("a: &a {b: *a}", "with its aliases written out"),
        ("a: " + "[" * 100_000, "nested too deeply"),
        ("a: " + "[" * 500 + "]" * 500, "nested too deeply"),
    ],
)
def test_yaml_that_never_ends_is_refused(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(text)
    started = time.process_time()
    with pytest.raises(SpecError, match=f"f.yaml: not valid YAML: .*{told}"):
        read_yaml(path)
    assert time.process_time() - started < 60, "it ends at all"


def test_aliases_in_honest_numbers_are_read(tmp_path: Path) -> None:
    text = "base: &b {x: 1, y: [1, 2]}\none: *b\ntwo: {<<: *b, y: 3}\nempty: {}\nlist: []"
    assert parse_yaml(text) == yaml.safe_load(text)
    assert parse_yaml("") is None and parse_yaml("3") == 3
    path = tmp_path / "f.yaml"
    path.write_text("a: 1", encoding="utf-8-sig")
    assert read_yaml(path) == {"a": 1}


def test_text_that_is_a_number_elsewhere() -> None:
    assert as_read({"a": ["1e-4", "1e", "e4", "x"], "b": "0.5", "c": None}) == {
        "a": [1e-4, "1e", "e4", "x"],
        "b": "0.5",
        "c": None,
    }
