"""Files are replaced whole or not at all, and what a killed process left is cleared away."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness import files


@pytest.mark.parametrize("synced", [True, False])
def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, synced: bool) -> None:
    path = tmp_path / "f.json"
    files.replace(path, "alt ⊢", synced)
    assert path.read_text(encoding="utf-8") == "alt ⊢"
    with pytest.raises(ZeroDivisionError), files.draft_of(path, synced) as draft:
        draft.write_text("half")
        _ = 1 / 0
    assert path.read_text(encoding="utf-8") == "alt ⊢" and list(tmp_path.iterdir()) == [path]
    with files.draft_of(path, synced) as draft:
        draft.write_bytes(b"neu")
        assert path.read_text(encoding="utf-8") == "alt ⊢"
    assert path.read_bytes() == b"neu" and list(tmp_path.iterdir()) == [path]


def test_drafts_of_killed_processes_are_swept_and_no_others(tmp_path: Path) -> None:
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True)
    left = [".f.json.notes", f".f.json.{os.getppid()}", f".g.json.{int(gone.stdout)}", f".f.json.{10**30}"]
    for name in [*left, f".f.json.{int(gone.stdout)}"]:
        (tmp_path / name).write_text("{")
    files.replace(tmp_path / "f.json", "x", swept=False)
    assert len(list(tmp_path.iterdir())) == 6
    files.replace(tmp_path / "f.json", "x")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*left, "f.json"])
