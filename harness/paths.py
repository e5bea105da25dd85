"""Where the project's own data lies, and every environment variable that the harness reads.

All else stands in YAML or on the command line.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from harness.errors import SpecError

VARIABLES = {
    "HARNESS_RUNS": "folder of runs and stages, else ./runs; `--runs` wins",
    "HARNESS_DATA": "folder of fetched benchmarks, else ~/.cache/lean-harness/data",
    "HARNESS_BENCHMARKS": "folder of your own benchmarks' manifests, searched beside the project's",
    "HARNESS_BASE": "which sweeps/base/<name>.yaml a sweep's points are laid over; `--base` wins",
    "HARNESS_LEANCHECKER": "path of leanchecker, else `leanchecker` on the PATH",
    "HARNESS_SAFEVERIFY": "path of SafeVerify, else `safe_verify` on the PATH",
    "HARNESS_COMPARATOR": "path of comparator, else `comparator` on the PATH",
    "HARNESS_LAKE": "the lake with which those three compile, else `lake` on the PATH",
    "HARNESS_THROUGHPUT": "file of your own measured rates for `harness plan`, before the project's",
    "HARNESS_REWARD": "set by the launcher of OpenRLHF: what its workers ask, and of whom",
    "HARNESS_OPENRLHF_PYTHON": "Python with OpenRLHF, Ray and vLLM for the tests that need them",
    "HARNESS_OPENRLHF_WHEEL": "folder with the OpenRLHF wheel for the tests of its arguments, else skipped",
    "HARNESS_LEAN_PROJECT": "Lean project for the tests that need a real Lean; they are skipped without it",
    "HARNESS_REAL_LEAN": "folder for the Lean that the tests fetch and build, else ~/.cache/lean-harness",
    "HARNESS_VLLM": "folder of the vLLM of the tests that need one, else ~/.cache/vllm-cpu",
    "LEAN_SERVER_API_URL": "a Kimina server that `harness doctor` asks whether it is well",
    "LEAN_SERVER_API_KEY": "key of the Kimina servers, asked or served",
    "MODEL_SERVER_API_KEY": "key of the servers of policies and value models",
    "WANDB_API_KEY": "key of W&B, else its netrc entry",
    "WANDB_BASE_URL": "another W&B server",
    "WANDB_MODE": "`online`, `offline` or `disabled`; wins over `tracking.wandb: auto`",
    "WANDB_RUN_ID": "set by `wandb agent`: the run that the point is",
    "WANDB_PROJECT": "set by `wandb agent`, else the project of runs published without another",
    "WANDB_ENTITY": "set by `wandb agent`",
    "WANDB_SWEEP_ID": "set by `wandb agent`: the run is a point of that sweep",
    "CUDA_VISIBLE_DEVICES": "GPUs that `harness sweep --parallel` shares out, else all",
    "NETRC": "another netrc file",
}
"""Name to meaning. Where leanchecker, SafeVerify or comparator is found and `lean.project` is set, every
strict verdict of `repl` and `kimina` is checked by it too."""

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
    folder = expanded(chosen)
    if not folder.is_dir():
        raise SpecError(f"HARNESS_BENCHMARKS: {chosen}: no such folder; make it, or unset the variable")
    return folder


def local_data() -> Path:
    """Where fetched benchmarks lie: `$HARNESS_DATA`, else `~/.cache/lean-harness/data`. May not exist."""
    chosen = os.environ.get("HARNESS_DATA")
    return expanded(chosen) if chosen else home() / ".cache" / "lean-harness" / "data"


def expanded(path: str | Path) -> Path:
    """`path` with a leading `~` as the home folder, also where no shell has seen to it."""
    text = str(path)
    return home() / text[2:] if text == "~" or text.startswith("~/") else Path(text)


def home() -> Path:
    """The home folder; for a user who has none (a container's bare number) a folder under /tmp."""
    try:
        return Path.home()
    except RuntimeError:
        return Path(tempfile.gettempdir()) / f"lean-harness-{os.getuid()}"


def indexes() -> Path:
    """Where indexes of Lean libraries lie, beside the fetched benchmarks. May not exist."""
    return local_data() / "lean-indexes"
