"""Which weights a name stands for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.serving import hub

UNKNOWN = "unknown revision"
"""The revision of weights of which nothing is known but a name; boards mark such rows."""
_SNAPSHOT = re.compile(r"/snapshots/([0-9a-f]{40})(?:/|$)")
_WEIGHTS = ("*.safetensors", "*.bin")
_WITH = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "generation_config.json",
)


def revision_of(model: str, revision: str | None, setting: str = "policy") -> str:
    """The revision of a model: of a folder the content hash of its files, of a name on the hub its commit.

    `setting` is the section of the experiment file that names it. Raises `UserError` for a folder without
    weights, and for a name whose commit nobody tells.
    """
    folder = Path(model)
    if not folder.is_dir():
        commit = hub.commit_of(model, revision)
        if commit is None:
            raise UserError(f"{hub.untold(f'{setting}.revision', model)} (--revision)")
        return commit
    files = sorted(path for pattern in _WEIGHTS for path in folder.glob(pattern))
    if not files:
        raise UserError(f"{setting}.model: {model}: the folder holds no weights ({', '.join(_WEIGHTS)})")
    files += [folder / name for name in _WITH if (folder / name).is_file()]
    stamps = tuple((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files)
    return f"sha256:{_hash(stamps)[:16]}"


def to_load(model: str, revision: str | None) -> str | None:
    """The commit to load a name on the hub at, so that what computes is what was told; None of a folder."""
    return None if Path(model).is_dir() else hub.commit_of(model, revision) or revision


def check_served(card: Mapping[str, Any], revision: str | None, setting: str) -> None:
    """Hold what a server says of its model (`root` of `/v1/models`: a folder, or a name on the hub) against
    the revision that is stated; most servers say too little to contradict.

    Raises `UserError` when the server's folder is of another commit or, where it can be read from here, has
    another content.
    """
    root = str(card.get("root") or "")
    snapshot, told = _SNAPSHOT.search(root), None
    if snapshot and hub.is_commit(revision):
        told = snapshot[1]
    elif revision is not None and revision.startswith("sha256:") and Path(root).is_dir():
        told = revision_of(root, None)
    if told is not None and told != revision:
        raise UserError(f"{setting}.revision: {revision} is stated and {told} is served ({root}); correct it")


@lru_cache(maxsize=64)
def _hash(stamps: tuple[tuple[str, int, int], ...]) -> str:
    """SHA-256 over names and contents; size and time only make a changed file a new question."""
    whole = hashlib.sha256()
    for name, _, _ in stamps:
        path = Path(name)
        with path.open("rb") as stream:
            whole.update(f"{path.name} {hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()
