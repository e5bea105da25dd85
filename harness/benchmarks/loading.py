"""Benchmarks: from `datasets/<name>.yaml` to a checked list of problems.

`load("smoke")` reads the manifest, the data behind it, and checks what the manifest states: sha256 of the
data file, number of problems per split, unique ids and statements, and the revision (a hash over all).
The denominator of every figure is what the manifest says, so a mismatch is an error and never a smaller set.
"""

from __future__ import annotations

import functools
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.benchmarks.manifest import Manifest, manifest, read_manifest
from harness.benchmarks.own_rows import Placed, placed_rows, problem_from_row
from harness.benchmarks.sources.origins import placed_at
from harness.errors import SpecError
from harness.nested import read_yaml
from harness.paths import local_data
from harness.types import Problem, content_hash


@dataclass(frozen=True, slots=True)
class Defect:
    """A problem known to be wrong: unprovable, vacuous or saying something else than its prose."""

    id: str
    split: str
    kind: str
    """`refutable`, `vacuous` (contradictory hypotheses), `trivial` (a degenerate statement) or
    `misformalised` (provable or not, but another statement than the prose)."""
    reason: str


def load(
    name: str,
    split: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    *,
    path: Path | None = None,
) -> list[Problem]:
    """The problems of benchmark `name`, in file order.

    `split`: None gives the manifest's default split, `all` every split. `limit`: a seeded sample of that many
    problems, see `sample`. `path`: a local copy (JSONL file, folder or git checkout) of a fetched benchmark.

    Raises `SpecError` for an unknown benchmark or split, for data that does not match its manifest, for an
    empty result, and for a benchmark that is not on this machine (the line says how to fetch it).
    """
    problems = split_of(name, split, path=path)
    return list(problems) if limit is None else sample(problems, limit, seed)


def split_of(name: str, split: str | None = None, *, path: Path | None = None) -> tuple[Problem, ...]:
    """As `load`, all of the split; the very same object again while no file behind it has changed."""
    found = manifest(name)
    wanted = found.default_split if split is None else split
    if wanted and wanted != "all":
        found.check_split(wanted)
    place = path if path is not None or found.data else local_data() / f"{found.name}.jsonl"
    if place is not None and place.is_dir():  # a checkout: its files may change and the folder not
        return _split(found, place, wanted)
    return _split_kept(found.path, place, wanted, _stamp(found, place))


@functools.lru_cache(maxsize=32)
def _split_kept(
    manifest_path: Path, place: Path | None, split: str, _: tuple[int, ...]
) -> tuple[Problem, ...]:
    return _split(read_manifest(manifest_path), place, split)


def _split(found: Manifest, place: Path | None, split: str) -> tuple[Problem, ...]:
    problems = tuple(_checked(found, place, _stamp(found, place)))
    if split and split != "all":
        problems = tuple(problem for problem in problems if problem.split == split)
    if not problems:
        raise SpecError(f"{found.path}: split {split!r} holds no problem")
    return problems


def sample(problems: Sequence[Problem], limit: int, seed: int) -> list[Problem]:
    """`limit` problems chosen by `seed`, independent of the order of `problems`.

    Problems are ranked by a hash of seed, id and revision, so a smaller sample is a prefix of a larger one.
    Raises `SpecError` when `limit` is below 1.
    """
    if limit < 1:
        raise SpecError(f"limit: {limit} leaves no problem; give at least 1, or leave it out for all")

    def rank(problem: Problem) -> tuple[str, str]:
        text = f"{seed}\n{problem.id}\n{problem.revision}"
        return hashlib.sha256(text.encode()).hexdigest(), problem.id

    return sorted(problems, key=rank)[:limit]


def defective(name: str) -> dict[str, Defect]:
    """Known-defective problems of this benchmark by id; empty when its manifest names no defects file."""
    found = manifest(name)
    if not found.defects:
        return {}
    path = found.path.parent / found.defects
    rows = read_yaml(path).get("defects")
    if not isinstance(rows, list):
        raise SpecError(f"{path}: defects: expected a list of problems with id, split, kind and reason")
    try:
        return {row["id"]: Defect(**row) for row in rows}
    except (TypeError, KeyError) as cause:
        raise SpecError(f"{path}: defects: every entry has id, split, kind and reason: {cause}") from cause


def revision_of(problems: Sequence[Problem]) -> str:
    """Content hash (16 hex digits) of a benchmark: of every `split/id:revision`, in sorted order."""
    return content_hash(sorted(f"{item.split}/{item.id}:{item.revision}" for item in problems))


def statement_key(problem: Problem) -> str:
    """The statement with its own name blanked and white space squeezed: equal keys mean one theorem twice."""
    return " ".join((problem.header + problem.statement.replace(problem.theorem, "_", 1)).split())


def _stamp(found: Manifest, path: Path | None) -> tuple[int, ...]:
    # Parsed problems are kept between calls; the stamp makes an edited file count as another one.
    places = [found.path, path or (found.path.parent / found.data if found.data else None)]
    return tuple(place.stat().st_mtime_ns for place in places if place is not None and place.exists())


@functools.lru_cache(maxsize=8)
def _checked_own(path: Path, _stamp: tuple[int, ...]) -> tuple[Problem, ...]:
    found = read_manifest(path)
    data = path.parent / found.data
    if not data.is_file():
        raise SpecError(f"{found.path}: data: {data} does not exist")
    digest = hashlib.sha256(data.read_bytes()).hexdigest()
    if digest != found.sha256:
        raise SpecError(f"{found.path}: sha256: {found.data} is {digest}, the manifest says {found.sha256}")
    placed = [(where, problem_from_row(row, found, where)) for where, row in placed_rows(data)]
    return tuple(check(found, placed, data))


def _checked(found: Manifest, path: Path | None, stamp: tuple[int, ...]) -> Sequence[Problem]:
    if found.data:
        if path is not None:
            raise SpecError(
                f"{found.path}: data: lies beside the manifest; {found.name} takes no local copy ({path})"
            )
        return _checked_own(found.path, stamp)
    data = path or local_data() / f"{found.name}.jsonl"
    return check(found, placed_at(found, data), data)


def check(found: Manifest, placed: Sequence[Placed], data: Path | str) -> list[Problem]:
    """The problems, once all of them agree with what the manifest states.

    `placed`: each with the place where it stands; `data`: the file, folder or data set that holds them all.
    Raises `SpecError` on the first mismatch, naming the data and the manifest.
    """
    problems = [problem for _, problem in placed]
    if not problems:
        raise SpecError(f"{data}: holds no problem that {found.path} describes")
    _check_ids(found, placed)
    counts = dict(Counter(problem.split for problem in problems))
    if found.splits and counts != {split: n for split, n in found.splits.items() if n}:
        raise SpecError(
            f"{found.path}: splits: {data} holds {counts}, the manifest says {dict(found.splits)}; "
            "correct one of them"
        )
    _check_statements(found, placed)
    revision = revision_of(problems) if found.revision else ""
    if revision != found.revision:
        raise SpecError(
            f"{found.path}: revision: {data} is {revision}, the manifest says {found.revision}"
            f"{_changed(found, problems)}; use the pinned revision, or state the new one in the manifest"
        )
    return problems


def _check_ids(found: Manifest, placed: Sequence[Placed]) -> None:
    first: dict[tuple[str, str], str] = {}
    for where, problem in placed:
        key = (problem.split, problem.id)
        if key in first:
            raise SpecError(
                f"{where}: id {problem.id!r} stands twice in split {problem.split!r}, first at {first[key]}; "
                f"ids are unique within a split of {found.path}"
            )
        first[key] = where


def _check_statements(found: Manifest, placed: Sequence[Placed]) -> None:
    if found.purpose == "training":
        return  # large training sets repeat hard statements on purpose
    known = {problem_id: group for group in found.same_statement for problem_id in group}
    first: dict[str, Placed] = {}
    for where, problem in placed:
        place, other = first.setdefault(statement_key(problem), (where, problem))
        if other.id != problem.id and other.id not in known.get(problem.id, ()):
            raise SpecError(
                f"{where}: {problem.id!r} and {other.id!r} ({place}) state the same theorem; keep one of "
                f"them, or list both in same_statement of {found.path}"
            )


def _changed(found: Manifest, problems: Sequence[Problem]) -> str:
    """Names up to five problems whose statement is not the pinned one."""
    if not found.statements:
        return ""
    path = found.path.parent / found.statements
    with _open_text(path) as lines:
        pinned = dict(line.split() for line in lines if line.strip())
    here = {f"{problem.split}/{problem.id}": problem.revision for problem in problems}
    odd = sorted(key for key in pinned.keys() | here.keys() if pinned.get(key) != here.get(key))
    return f" ({len(odd)} statements differ: {', '.join(odd[:5])}{', ...' if len(odd) > 5 else ''})"


def _open_text(path: Path) -> Any:
    try:
        return path.open(encoding="utf-8")
    except OSError as cause:
        raise SpecError(f"{path}: cannot be read: {cause.strerror}") from cause
