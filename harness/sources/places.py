"""The places that rows come from: a folder, a JSONL file, the hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import SpecError, boundary
from harness.manifest import Manifest, nearest
from harness.sources import leandojo
from harness.sources.lean_text import cut, cut_all
from harness.sources.rows import TRACKS, distinct, problem_from_piece, problem_of
from harness.types import Problem

_KEYS = {
    "git", "commit", "files", "monolith", "rows", "hub", "hub_revision", "columns", "split_names", "header",
    "track", "words", "last_theorem", "skip_unported", "repeats", "reader", "rows_kept",
}  # fmt: skip


def problems_at(found: Manifest, path: Path) -> list[Problem]:
    """All problems at `path`: a checkout or folder, or a JSONL file (fetched, or as its home has it).

    Raises `SpecError` when there is nothing, or nothing of the kind that the manifest describes.
    """
    _check_source(found)
    if not path.exists():
        raise SpecError(f"{found.name}: no data at {path}; {how_to_fetch(found)}")
    read = _from_folder(found, path) if path.is_dir() else _from_jsonl(found, path, "")
    problems = list(read)
    return list(distinct(problems)) if found.source.get("repeats") else problems


def problems_on_hub(found: Manifest) -> list[Problem]:
    """All problems of the hub data set at its pinned revision. Raises `SpecError` when it cannot be had."""
    _check_source(found)
    name, revision = found.source.get("hub"), found.source.get("hub_revision")
    if not name:
        raise SpecError(f"{found.path}: source.hub: missing; {how_to_fetch(found)}")
    if not revision:
        raise SpecError(
            f"{found.path}: source.hub_revision: not pinned; name the commit of {name} to take: "
            f"harness data fetch {found.name} --revision COMMIT"
        )
    offline = f"without network: harness data fetch {found.name} --from FOLDER_OR_JSONL"
    with boundary(SpecError, f"{found.name}: cannot load {name} at {revision} from the hub ({offline})"):
        import datasets

        splits = datasets.load_dataset(name, revision=revision)
        rows = [(str(label), dict(row)) for label, part in splits.items() for row in part]
    problems = list(_problems(found, ((row, label, f"{name}:{label}") for label, row in rows)))
    return list(distinct(problems)) if found.source.get("repeats") else problems


def how_to_fetch(found: Manifest) -> str:
    """One line for people: where the data is, and the commands that bring it here."""
    source = found.source
    home = source.get("git") or f"the Hugging Face data set {source.get('hub')}"
    pin = source.get("commit") or source.get("hub_revision") or "no pinned revision"
    return (
        f"run `harness data fetch {found.name}` (from {home} at {pin}), or on a machine without network "
        f"`harness data fetch {found.name} --from FOLDER_OR_JSONL`"
    )


def _check_source(found: Manifest) -> None:
    for key in found.source:
        if key not in _KEYS:
            raise SpecError(f"{found.path}: source: unknown key {key!r}{nearest(key, _KEYS)}")
    track = found.source.get("track")
    if track is not None and track not in TRACKS:
        raise SpecError(f"{found.path}: source.track: {track!r}{nearest(str(track), TRACKS)}")


def _from_folder(found: Manifest, folder: Path) -> Iterator[Problem]:
    if found.source.get("reader") == "leandojo":
        yield from leandojo.problems_in(found, folder)
        return
    for read in (_one_file_each, _one_file_per_split, _row_files):
        problems = list(read(found, folder))
        if problems:
            yield from problems
            return
    raise SpecError(f"{found.name}: {folder} is no checkout of {found.source.get('git', 'its home')}")


def _one_file_each(found: Manifest, folder: Path) -> Iterator[Problem]:
    for split, pattern in found.source.get("files", {}).items():
        for path in sorted(folder.glob(pattern)):
            piece = cut(_read(path), str(path))
            yield problem_from_piece(found, piece, path.stem, split)


def _one_file_per_split(found: Manifest, folder: Path) -> Iterator[Problem]:
    for split, name in found.source.get("monolith", {}).items():
        path = folder / name
        if path.is_file():
            for piece in cut_all(_read(path), str(path)):
                yield problem_from_piece(found, piece, piece.name, split)


def _row_files(found: Manifest, folder: Path) -> Iterator[Problem]:
    listed = found.source.get("rows", {})
    for split, name in listed.items():
        if (folder / name).is_file():
            yield from _from_jsonl(found, folder / name, "" if split == "*" else split)
    if not listed or not any((folder / name).is_file() for name in listed.values()):
        for path in sorted(folder.glob("*.jsonl")):
            yield from _from_jsonl(found, path, path.stem if path.stem in found.splits else "")


def _from_jsonl(found: Manifest, path: Path, split: str) -> Iterator[Problem]:
    from harness.benchmarks import problem_from_row, read_rows

    rows = read_rows(path)
    if rows and {"id", "split", "header", "statement", "theorem", "placeholder"} <= rows[0].keys():
        for number, row in enumerate(rows, start=1):
            yield problem_from_row(row, found, f"{path}:{number}")
        return
    yield from _problems(
        found, ((row, split, f"{path}:{number}") for number, row in enumerate(rows, start=1))
    )


def _problems(found: Manifest, rows: Iterator[tuple[Mapping[str, Any], str, str]]) -> Iterator[Problem]:
    column = found.source.get("columns", {}).get("split", "split")
    renamed = found.source.get("split_names", {})
    kept = found.source.get("rows_kept", {})
    for row, label, where in rows:
        if any(row.get(name) not in values for name, values in kept.items()):
            continue
        split = str(row.get(column) or label)
        split = renamed.get(split, split)
        if not split and len(found.splits) == 1:
            split = next(iter(found.splits))
        if found.splits and split not in found.splits:
            raise SpecError(f"{where}: split {split!r}{nearest(split, found.splits)}; see split_names")
        problem = problem_of(found, row, split or "train", where)
        if problem is not None:
            yield problem


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as lines:  # newline="": byte for byte
            return lines.read()
    except (OSError, UnicodeDecodeError) as cause:
        raise SpecError(f"{path}: cannot be read: {cause}") from cause
