"""The places that rows come from: a folder, a JSONL file, the hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import extras
from harness.benchmarks.manifest import Manifest
from harness.benchmarks.own_rows import Placed, placed_rows, problem_from_row
from harness.benchmarks.sources import leandojo
from harness.benchmarks.sources.lean_text import cut, cut_all
from harness.benchmarks.sources.rows import TRACKS, distinct, problem_from_piece, problem_of
from harness.errors import DataMissing, SpecError, boundary
from harness.nested import nearest

_KEYS: Mapping[str, type] = {
    "git": str, "commit": str, "files": dict, "monolith": dict, "rows": dict, "hub": str, "hub_revision": str,
    "columns": dict, "split_names": dict, "header": str, "track": str, "words": list, "last_theorem": bool,
    "skip_unported": bool, "repeats": bool, "reader": str, "rows_kept": dict,
}  # fmt: skip
_COLUMNS = ("name", "split", "text", "informal", "gold")
_HUB_WAIT_S = 10.0
_Row = tuple[Mapping[str, Any], str, str]
"""An object, the split that its file or data set says, and the place where it stands."""


def placed_at(found: Manifest, path: Path) -> list[Placed]:
    """All problems at `path`: a checkout or folder, or a JSONL file (fetched, or as its home has it).

    Raises `SpecError` when there is nothing, or nothing of the kind that the manifest describes.
    """
    _check_source(found)
    if not path.exists():
        raise DataMissing(f"{found.name}: no data at {path}; {how_to_fetch(found)}")
    read = _from_folder(found, path) if path.is_dir() else _from_jsonl(found, path, "")
    return list(distinct(read) if found.source.get("repeats") else read)


def placed_on_hub(found: Manifest) -> list[Placed]:
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
    extras.need("local")
    offline = f"without network: harness data fetch {found.name} --from FOLDER_OR_JSONL"
    with boundary(SpecError, f"{found.name}: cannot load {name} at {revision} from the hub ({offline})"):
        import huggingface_hub

        import datasets

        if not huggingface_hub.constants.HF_HUB_OFFLINE:  # one try; load_dataset alone gives up after 24 s
            huggingface_hub.get_session().head(huggingface_hub.constants.ENDPOINT, timeout=_HUB_WAIT_S)
        splits = datasets.load_dataset(name, revision=revision)
        rows = [(dict(row), str(label), f"{name}:{label}") for label, part in splits.items() for row in part]
    read = _problems(found, rows, name)
    return list(distinct(read) if found.source.get("repeats") else read)


def how_to_fetch(found: Manifest) -> str:
    """One line for people: where the data is, and the commands that bring it here."""
    source, fetch = found.source, f"harness data fetch {found.name}"
    local = f"`{fetch} --from FOLDER_OR_JSONL`"
    home = source.get("git") or (f"the Hugging Face data set {source['hub']}" if source.get("hub") else "")
    if not home:
        return f"give --from PATH: {local}"
    pin = source.get("commit") or source.get("hub_revision") or "no pinned revision"
    if source.get("reader"):
        return f"get {home} ({pin}) and give --from PATH: {local}"
    return f"run `{fetch}` (from {home} at {pin}), or on a machine without network {local}"


def _check_source(found: Manifest) -> None:
    for key, value in found.source.items():
        if key not in _KEYS:
            raise SpecError(f"{found.path}: source: unknown key {key!r}{nearest(str(key), _KEYS)}")
        if not isinstance(value, _KEYS[key]):
            raise SpecError(f"{found.path}: source.{key}: expected {_KEYS[key].__name__}, found {value!r}")
    for key, value in found.source.get("columns", {}).items():
        if key not in _COLUMNS:
            raise SpecError(f"{found.path}: source.columns: unknown key {key!r}{nearest(str(key), _COLUMNS)}")
        names = value if key == "text" and isinstance(value, list) else [value]
        if not all(isinstance(name, str) for name in names):
            raise SpecError(f"{found.path}: source.columns.{key}: expected a column's name, found {value!r}")
    track = found.source.get("track")
    if track is not None and track not in TRACKS:
        raise SpecError(f"{found.path}: source.track: {track!r}{nearest(str(track), TRACKS)}")


def _from_folder(found: Manifest, folder: Path) -> Iterator[Placed]:
    if found.source.get("reader") == "leandojo":
        yield from leandojo.problems_in(found, folder)
        return
    for read in (_one_file_each, _one_file_per_split, _row_files):
        problems = list(read(found, folder))
        if problems:
            yield from problems
            return
    home = found.source.get("git") or found.source.get("hub")
    wanted = f"is no checkout of {home}" if home else "holds no *.jsonl, nor what source names"
    raise SpecError(f"{found.path}: source: {folder} {wanted}")


def _one_file_each(found: Manifest, folder: Path) -> Iterator[Placed]:
    for split, pattern in found.source.get("files", {}).items():
        for path in sorted(folder.glob(pattern)):
            piece = cut(_read(path), str(path))
            yield str(path), problem_from_piece(found, piece, path.stem, split)


def _one_file_per_split(found: Manifest, folder: Path) -> Iterator[Placed]:
    for split, name in found.source.get("monolith", {}).items():
        path = folder / name
        if path.is_file():
            for piece in cut_all(_read(path), str(path)):
                yield str(path), problem_from_piece(found, piece, piece.name, split)


def _row_files(found: Manifest, folder: Path) -> Iterator[Placed]:
    listed = found.source.get("rows", {})
    for split, name in listed.items():
        if (folder / name).is_file():
            yield from _from_jsonl(found, folder / name, "" if split == "*" else split)
    if not listed or not any((folder / name).is_file() for name in listed.values()):
        for path in sorted(folder.glob("*.jsonl")):
            yield from _from_jsonl(found, path, path.stem if path.stem in found.splits else "")


def _from_jsonl(found: Manifest, path: Path, split: str) -> Iterator[Placed]:
    rows = placed_rows(path)
    if rows and {"id", "split", "header", "statement", "theorem", "placeholder"} <= rows[0][1].keys():
        for where, row in rows:
            yield where, problem_from_row(row, found, where)
        return
    yield from _problems(found, [(row, split, where) for where, row in rows], str(path))


def _check_columns(found: Manifest, rows: Sequence[_Row], home: str) -> None:
    """Every column that the manifest names is in some row; a row with a whole file in `lean` needs none."""
    here = {name for row, _, _ in rows if not isinstance(row.get("lean"), str) for name in row}
    if not here:
        return
    named = {"text": "formal_statement", **found.source.get("columns", {})}
    wanted = [(f"columns.{key}", value) for key, value in named.items()]
    wanted.append(("rows_kept", list(found.source.get("rows_kept", {}))))
    for key, value in wanted:
        for column in [value] if isinstance(value, str) else value:
            if column not in here:
                raise SpecError(
                    f"{found.path}: source.{key}: no row of {home} has a column {column!r}"
                    f"{nearest(column, here)}"
                )


def _problems(found: Manifest, rows: Sequence[_Row], home: str) -> Iterator[Placed]:
    _check_columns(found, rows, home)
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
            yield where, problem


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:  # newline="": byte for byte
            return lines.read()
    except (OSError, UnicodeDecodeError) as cause:
        raise SpecError(f"{path}: cannot be read: {cause}") from cause
