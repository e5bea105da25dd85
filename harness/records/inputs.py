"""What a single record depends on: seed, prover, models, Lean, this package.

How many problems and samples a run has, what it is called and which k it reports change no record, so runs
that differ in these alone may share records; records of other inputs never belong into a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.nested import digest

INPUTS = "inputs"
"""Key of the digest in a line of `records.jsonl`, and in what binds `summary.json`; absent in older ones."""

OF_ANOTHER_RUN = (
    "made with other settings or weights than spec.json says (runs of two machines copied over each other?); "
    "copy the whole folder again, or delete it and run again"
)

NO_INPUTS = {
    "experiment": None,
    "evaluation": ("name", "k", "samples", "problems"),
    "runtime": ("canaries",),
}
"""Keys of a run's spec that no single record depends on: whole sections (None), or some keys of one."""


def inputs_digest(spec: Mapping[str, Any]) -> str:
    """Digest of what a record of a run with this spec depends on, its problem and its number apart."""
    inputs: dict[str, Any] = dict(spec)
    for section, keys in NO_INPUTS.items():
        if keys is None:
            inputs.pop(section, None)
        elif isinstance(inputs.get(section), dict):
            inputs[section] = {key: value for key, value in inputs[section].items() if key not in keys}
    return digest(inputs)
