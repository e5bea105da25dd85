"""The figures of one run, as data: what `harness.analysis.metrics` computes and everyone else shows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.types import Estimate

SCHEMA = 5
"""Raised when a figure or interval changes its meaning: summaries of another schema are computed anew."""


@dataclass(frozen=True, slots=True)
class PassAtK:
    """pass@k over all problems owed."""

    k: int
    estimate: Estimate
    """`value` is None when some problem has fewer than k scored attempts; `n` counts all problems owed."""
    floor: float
    """With every attempt in doubt counted as failed."""
    ceiling: float
    """With every attempt in doubt counted as proved."""
    undefined: int = 0
    """Problems with fewer than k scored attempts."""


@dataclass(frozen=True, slots=True)
class Nodes:
    """Expansions per proof. Mean, median and p90 over solved problems (each: the mean of its proofs)."""

    mean: Estimate
    median: Estimate
    p90: Estimate
    total: Estimate
    """All expansions, failures included, divided by the proofs found: what a proof costs."""
    censored: Estimate
    """Mean expansions over all problems, an unproved attempt counted as the whole budget."""


@dataclass(frozen=True, slots=True)
class Effort:
    """Totals over scored attempts; times in seconds."""

    expansions: int = 0
    created: int = 0
    tactic_calls: int = 0
    invalid: int = 0
    duplicates: int = 0
    invalid_share: float | None = None
    """Invalid tactic calls / tactic calls; None when there was none."""
    tactic_calls_per_proof: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    truncated: int = 0
    policy_s: float = 0.0
    lean_s: float = 0.0
    value_s: float = 0.0
    verify_s: float = 0.0
    stopped: Mapping[str, int] = field(default_factory=dict)
    """How many searches ended for which reason."""


@dataclass(frozen=True, slots=True)
class Group:
    """pass@1 of the problems of one category or difficulty."""

    by: str
    name: str
    solved: int
    passed: PassAtK


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one of a union's two provers adds."""

    side: str
    """`first` or `second`."""
    prover: str
    """Its kind; empty when it proved nothing."""
    problems: int
    """Problems that it proved in some attempt."""
    only: int
    """Of those: problems that the other prover proved in none."""
    attempts: int
    """Attempts whose proof is its own."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of each problem that counts, in the order of their keys: what paired tests need."""

    scored: tuple[int, ...] = ()
    """Attempts judged; the next counts the proved ones among them."""
    proved: tuple[int, ...] = ()
    expansions: tuple[int, ...] = ()
    """Of all scored searches; the next counts those of the searches that proved."""
    proof_expansions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """All figures of one run."""

    problems: int
    samples: int
    owed: int
    """Attempts owed: problems * samples. The next three count attempts too."""
    scored: int
    unscored: int
    missing: int
    proofs: int
    """Attempts proved."""
    solved: int
    """Problems with at least one proof."""
    passes: tuple[PassAtK, ...]
    nodes: Nodes
    effort: Effort
    curve: tuple[tuple[int, float], ...]
    """(expansions b, share of problems that one attempt solves within b): a step function; a floor."""
    groups: tuple[Group, ...]
    statuses: Mapping[str, int]
    reasons: Mapping[str, int]
    levels: Mapping[str, int]
    tiers: Mapping[str, int]
    canaries_proved: int = 0
    curves: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    """As `curve`, over `tokens` generated and over `seconds`, where the records have them; thinned."""
    outcomes: Outcomes = Outcomes()
    union: tuple[Contribution, ...] = ()
    """Of a union that proved anything: what its first prover and what its second adds."""
    schema: int = SCHEMA


def scalars(summary: Summary) -> dict[str, float | int | None]:
    """The headline figures as flat names and numbers, each estimate with `_low`, `_high` and `_n`."""
    flat: dict[str, float | int | None] = {}
    named = {f"pass_at_{item.k}": item.estimate for item in summary.passes}
    named |= {f"nodes_per_proof_{item.name}": getattr(summary.nodes, item.name)
              for item in dataclasses.fields(Nodes)}  # fmt: skip
    for name, estimate in named.items():
        flat[name] = estimate.value
        flat[f"{name}_low"], flat[f"{name}_high"] = estimate.low, estimate.high
        flat[f"{name}_n"] = estimate.n
    counts = ("problems", "solved", "proofs", "scored", "unscored", "missing")
    flat |= {name: getattr(summary, name) for name in counts}
    flat |= {name: getattr(summary.effort, name) for name in ("expansions", "tactic_calls", "invalid_share")}
    return flat
