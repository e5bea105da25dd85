"""What a sweep can show, said before its first point: the smallest difference that it detects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.analysis.power import detectable_effect, detectable_share
from harness.experiment.selection import select
from harness.experiment.spec import ExperimentSpec
from harness.experiment.sweep import Point, Sweep
from harness.tracking.events import key_part

DISCORDANT = (0.1, 0.3)
"""Shares of the problems on which two settings may differ: little, and much."""


def preflight(sweep: Sweep, found: Sequence[Point], spec: ExperimentSpec) -> Iterator[str]:
    """Lines for people. `spec` is that of one point: the problems of a metric are the same for all.

    Only a metric of an evaluation has problems to speak of; others are passed over.
    """
    parts = (sweep.metric or "").split("/")
    named = [item for item in spec.evaluations if parts[:2] == ["eval", key_part(item.name)]]
    if not named or len(found) < 2:
        return
    problems, comparisons = len(select(named[0].problems)), len(found) - 1
    against = "one comparison" if comparisons == 1 else f"{comparisons:,} comparisons with one, corrected"
    size = f"{len(found):,} points on {problems:,} problems of {named[0].name}"
    yield f"{sweep.name}: {size}; what such a sweep shows four times in five (p < 0.05, {against}):"
    if len(parts) == 3 and parts[2].startswith("pass_at_"):
        for discordant in DISCORDANT:
            smallest = detectable_share(problems, discordant, comparisons)
            shown = "nothing" if smallest is None else f"a difference of {100 * smallest:.1f} points or more"
            yield f"  {shown}, where two settings differ on {discordant:.0%} of the problems"
        return
    effect = detectable_effect(problems, comparisons)
    if effect is not None:
        yield f"  a mean difference of {effect:.2f} standard deviations of the paired differences or more"
