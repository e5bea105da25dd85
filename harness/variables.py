"""The environment variables that the harness reads. All else stands in YAML or on the command line."""

from __future__ import annotations

VARIABLES = {
    "HARNESS_RUNS": "folder of runs and stages, else ./runs; `--runs` wins",
    "HARNESS_DATA": "folder of fetched benchmarks, else ~/.cache/lean-harness/data",
    "HARNESS_BENCHMARKS": "folder of your own benchmarks' manifests, searched beside the project's",
    "HARNESS_BASE": "which sweeps/base/<name>.yaml a sweep's points are laid over; `--base` wins",
    "HARNESS_LEANCHECKER": "path of leanchecker, else `leanchecker` on the PATH",
    "HARNESS_SAFEVERIFY": "path of SafeVerify, else `safe_verify` on the PATH",
    "HARNESS_COMPARATOR": "path of comparator, else `comparator` on the PATH",
    "HARNESS_LAKE": "the lake with which those three compile, else `lake` on the PATH",
    "HARNESS_LEAN_PROJECT": "Lean project for the tests that need a real Lean; they are skipped without it",
    "HARNESS_OPENRLHF_WHEEL": "folder with the OpenRLHF wheel for the tests of its arguments, else skipped",
    "LEAN_SERVER_API_URL": "a Kimina server that `harness doctor` asks whether it is well",
    "LEAN_SERVER_API_KEY": "key of the Kimina servers, asked or served",
    "WANDB_API_KEY": "key of W&B, else its netrc entry",
    "WANDB_BASE_URL": "another W&B server",
    "WANDB_MODE": "`online`, `offline` or `disabled`; wins over `tracking.wandb: auto`",
    "WANDB_SWEEP_ID": "set by `wandb agent`: the run is a point of that sweep",
    "NETRC": "another netrc file",
}
"""Name to meaning. Where leanchecker, SafeVerify or comparator is found and `lean.project` is set, every
strict verdict of `repl` and `kimina` is checked by it too."""
