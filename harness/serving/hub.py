"""Names on the hub: the commit that one stands for, and its files.

What is in the local cache comes first, so that a run is gone on with by the weights that it began with, and
without a network; a branch that has moved on since is followed by stating the new commit.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from harness.errors import ServiceDown, UserError, boundary

_COMMIT = re.compile(r"[0-9a-f]{40}")
_TIMEOUT_S = 10.0
_OTHER_FORMATS = ("original/*", "*.pth", "*.gguf", "*.onnx", "*.msgpack", "*.h5")


def is_commit(revision: str | None) -> bool:
    """Whether a revision is a whole commit hash, which needs no look-up."""
    return revision is not None and _COMMIT.fullmatch(revision) is not None


@lru_cache(maxsize=64)
def commit_of(name: str, revision: str | None) -> str | None:
    """The commit (40 hex digits) of a branch or tag of the model `name`; None: its default branch.

    None where neither the local cache nor the hub tells.
    """
    if is_commit(revision):
        return revision
    try:
        import huggingface_hub
    except ImportError:
        return None
    try:
        with boundary(ServiceDown, name):  # a name that is none, no network, no such model: all tell nothing
            there = in_cache(name, revision, "config.json")
            if there is not None:
                return there.parent.name
            asked = huggingface_hub.HfApi().model_info(name, revision=revision, timeout=_TIMEOUT_S)
    except ServiceDown:
        return None
    return asked.sha


def in_cache(name: str, revision: str | None, file: str) -> Path | None:
    """A file of the model `name` in the local cache; None where it is not there, or no cache is."""
    try:
        from huggingface_hub import try_to_load_from_cache

        with boundary(ServiceDown, name):
            there = try_to_load_from_cache(name, file, revision=revision)
    except (ImportError, ServiceDown):
        return None
    return Path(there) if isinstance(there, str) else None


def snapshot(name: str, commit: str | None, setting: str) -> Path:
    """The folder of `name` at `commit` in the local cache, fetched where it is not there.

    `setting` is the key of the experiment file that names it. Raises `UserError` when it cannot be had.
    """
    import huggingface_hub

    if commit is None:
        raise UserError(untold(setting, name))
    with boundary(UserError, f"{setting}: {name} at {commit} cannot be fetched"):
        return Path(
            huggingface_hub.snapshot_download(name, revision=commit, ignore_patterns=list(_OTHER_FORMATS))
        )


def untold(setting: str, name: str) -> str:
    """That nobody says which weights a name stands for."""
    return (
        f"{setting}: {name!r} is no folder here, and neither the local cache of the hub nor the hub itself "
        "says which commit it stands for; download it, name a folder, or state the commit as its revision"
    )
