"""Following a records file: whole lines only, each once."""

import json
from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.records.tail import Tail
from tests.making import record


def test_each_record_comes_once_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    lines = [json.dumps(record(f"p{i}").to_json()) + "\n" for i in range(3)]
    path.write_text(lines[0] + lines[1][:40])
    tail = Tail(path)
    assert [one.problem_id for one in tail.new()] == ["p0"] and tail.new() == []
    with path.open("a") as file:
        file.write(lines[1][40:] + lines[2])
    assert [one.problem_id for one in tail.new()] == ["p1", "p2"]
    with path.open("a") as file:
        file.write("{}\n")
    with pytest.raises(StoreError, match="not a record"):
        tail.new()
