"""The records behind a W&B run: its folder where this machine made it, else the artifact that it logged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness import extras
from harness.errors import InfraError, StoreError, UserError, boundary
from harness.records.folder import RECORDS, SPEC
from harness.records.journal import make_folder
from harness.tracking.point import POINT, read_point, sessions, tracking
from harness.tracking.reports import API_TIMEOUT_S

FETCHED = "fetched"
"""Folder under the runs folder that holds records out of W&B."""
_NAMED = re.compile(r"(?P<path>(?:[\w.-]+/){0,2}(?P<id>[\w-]+))(?::(?P<evaluation>[\w. -]+))?")


def records_of(root: Path, text: str) -> Path | None:
    """The folder of the run's records that `text` names: `[ENTITY/[PROJECT/]]ID[:EVALUATION]`.

    None where no experiment here has that id and `text` is no full path, so that W&B is not asked. Raises
    `UserError` for an unknown run, or for several evaluations of which none is named, `InfraError`.
    """
    matched = _NAMED.fullmatch(text)
    if matched is None:
        return None
    asked = matched["evaluation"]
    found = _local(root, matched["id"])
    if not found and matched["path"].count("/") == 2:
        found = _downloaded(root, matched["path"], asked)
    return _chosen(found, text.split(":")[0], asked) if found else None


def _local(root: Path, wanted: str) -> dict[str, Path]:
    """The runs here that a W&B run of this id shows, by the names of their evaluations."""
    for path in sorted(tracking(root).glob(f"*/{POINT}")):
        with suppress(StoreError):
            point = read_point(path.parent)
            ids = {point.id, *(one.run.get("id") for one in sessions(point.folder))}
            if wanted in ids:
                folders = {name: root / folder for name, folder in point.evaluations}
                return {name: at for name, at in folders.items() if (at / SPEC).is_file()}
    return {}


def _downloaded(root: Path, path: str, asked: str | None) -> dict[str, Path]:
    """The records that a W&B run logged, laid out as runs under `FETCHED`, by the names of evaluations."""
    extras.need("wandb")
    import wandb

    with boundary(InfraError, f"W&B: {path} cannot be read"):
        try:
            run = wandb.Api(timeout=API_TIMEOUT_S).run(path)
            logged = [one for one in run.logged_artifacts() if one.type == "records"]
        except (ValueError, wandb.errors.CommError) as cause:
            raise UserError(f"{path}: no such W&B run, or it cannot be read: {cause}") from None
        newest: dict[str, Any] = {}
        for one in logged:
            newest[one.name.rsplit(":", 1)[0]] = one
        found: dict[str, Path] = {}
        for name, artifact in newest.items():
            evaluation = _evaluation(name)
            if asked in (None, evaluation):
                folder = root / FETCHED / name
                make_folder(folder)
                artifact.download(root=str(folder))
                found[evaluation] = folder
    if not found:
        raise UserError(f"{path}: W&B holds no records of it{f' for {asked!r}' if asked else ''}; send them "
                        "from where it ran: harness publish RUN")  # fmt: skip
    return found


def _evaluation(run: str) -> str:
    """`search-test` of `alpha.search-test-1a2b3c4d`."""
    return run.rpartition(".")[2].rpartition("-")[0] or run


def _chosen(found: Mapping[str, Path], text: str, asked: str | None) -> Path:
    if asked is not None and asked not in found:
        raise UserError(f"{text}: no evaluation {asked!r}; it has: {', '.join(found)}")
    if asked is None and len(found) > 1:
        listed = ", ".join(f"{text}:{name}" for name in found)
        raise UserError(f"{text}: a W&B run of {len(found)} evaluations; name one: {listed}")
    folder = found[asked] if asked is not None else next(iter(found.values()))
    if not (folder / RECORDS).is_file():
        raise UserError(f"{text}: {folder} holds no {RECORDS}; send it again with harness publish")
    return folder
