"""How many tokens a theorem has, where a tokenizer and the theorems are at hand; for plans."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness import extras
from harness.benchmarks.loading import load
from harness.errors import UserError
from harness.experiment.spec import ExperimentSpec
from harness.paths import expanded
from harness.serving import hub

COUNTED = 64
"""Theorems, a sample that stays the same."""
_FILE = "tokenizer.json"


def statement_tokens(spec: ExperimentSpec) -> tuple[float, str] | None:
    """Mean tokens of a training theorem's statement for the value model, and what was counted.

    None where its tokenizer is not on this machine (one that is made with the generator never is before), or
    the theorems are not. A state on the way to a proof is about as long as the statement it came from:
    of the embedded curriculum 44 tokens against 53.
    """
    named = spec.value.backbone or spec.generator.checkpoint
    file = None if named is None else _tokenizer_of(named, spec.value.backbone_revision)
    if file is None or extras.missing("local"):
        return None
    source = spec.trained_on
    try:
        statements = [item.statement for item in load(source.benchmark, source.split, COUNTED)]
    except UserError:  # not fetched, or broken: whoever trains on it says so
        return None
    return mean_tokens(file, statements), f"{len(statements)} statements of {source.benchmark} by {named}"


def _tokenizer_of(named: str, revision: str | None) -> Path | None:
    folder = expanded(named)
    if not folder.is_dir():
        return hub.in_cache(named, revision, _FILE)
    return folder / _FILE if (folder / _FILE).is_file() else None


def mean_tokens(tokenizer: Path, texts: Sequence[str]) -> float:
    """Tokens of a text in the mean, special ones apart; at least one text."""
    from tokenizers import Tokenizer

    made = Tokenizer.from_file(str(tokenizer))
    return sum(len(made.encode(text, add_special_tokens=False).ids) for text in texts) / len(texts)
