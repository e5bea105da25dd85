"""Which weights a name stands for."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from harness.errors import UserError

_WEIGHTS = ("*.safetensors", "*.bin")
_WITH = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "generation_config.json",
)


def revision_of(model: str, revision: str | None) -> str:
    """The revision of a model: of a folder the content hash of its files, else what is given.

    Raises `UserError` for a folder without weights, and for a name on the hub without a revision.
    """
    folder = Path(model)
    if not folder.is_dir():
        if revision is None:
            raise UserError(
                f"policy.revision: {model!r} is no folder here, and a name on a hub says nothing of its "
                "weights; give the commit: revision: ... (--revision)"
            )
        return revision
    files = sorted(path for pattern in _WEIGHTS for path in folder.glob(pattern))
    if not files:
        raise UserError(f"policy.model: {model}: the folder holds no weights ({', '.join(_WEIGHTS)})")
    files += [folder / name for name in _WITH if (folder / name).is_file()]
    stamps = tuple((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files)
    return f"sha256:{_hash(stamps)[:16]}"


@lru_cache(maxsize=64)
def _hash(stamps: tuple[tuple[str, int, int], ...]) -> str:
    """SHA-256 over names and contents; size and time only make a changed file a new question."""
    whole = hashlib.sha256()
    for name, _, _ in stamps:
        path = Path(name)
        with path.open("rb") as stream:
            whole.update(f"{path.name} {hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()
