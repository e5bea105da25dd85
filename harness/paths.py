"""Where the project's own data lies: beside the source in a checkout, inside the package when installed."""

from __future__ import annotations

import os
from pathlib import Path

from harness.errors import SpecError

DATA_FOLDERS = ("datasets", "sweeps", "leaderboards")
_PACKAGE = Path(__file__).resolve().parent


def data_folder(name: str) -> Path:
    """The folder `name` (one of `DATA_FOLDERS`).

    A source checkout keeps it at the top level, a wheel ships it as `harness/shipped/<name>`. The checkout is
    told by its `pyproject.toml`, because site-packages may hold somebody else's folder called `datasets`.

    Raises `SpecError` when the name is none of ours or the installation is incomplete.
    """
    if name not in DATA_FOLDERS:
        raise SpecError(f"no data folder called {name!r}; there are: {', '.join(DATA_FOLDERS)}")
    checkout = _PACKAGE.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / name).is_dir():
        return checkout / name
    shipped = _PACKAGE / "shipped" / name
    if shipped.is_dir():
        return shipped
    raise SpecError(
        f"the data folder {name!r} is missing from this installation ({shipped}); reinstall harness"
    )


def own_benchmarks() -> Path | None:
    """The folder of the user's own manifests, `$HARNESS_BENCHMARKS`; None when that is not set.

    Raises `SpecError` when it is no folder.
    """
    chosen = os.environ.get("HARNESS_BENCHMARKS")
    if not chosen:
        return None
    if not Path(chosen).is_dir():
        raise SpecError(f"HARNESS_BENCHMARKS: {chosen}: no such folder; make it, or unset the variable")
    return Path(chosen)


def local_data() -> Path:
    """Where fetched benchmarks lie: `$HARNESS_DATA`, else `~/.cache/lean-harness/data`. May not exist."""
    chosen = os.environ.get("HARNESS_DATA")
    return Path(chosen) if chosen else Path.home() / ".cache" / "lean-harness" / "data"
