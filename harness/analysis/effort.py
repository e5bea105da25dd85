"""What the attempts of a run cost together."""

from __future__ import annotations

import math
from array import array
from collections import Counter

from harness.analysis.summary import Effort
from harness.types import Record, Status


class EffortSum:
    """Totals over scored records, which come one by one in any order."""

    def __init__(self) -> None:
        self._counts = Counter[str]()
        self._stopped = Counter[str]()
        # Kept apart until the end: only the exact sum does not depend on the order.
        self._seconds = {name: array("d") for name in ("policy_s", "lean_s", "value_s", "verify_s")}

    def add(self, record: Record) -> None:
        """Take in one record."""
        counts, seconds = self._counts, self._seconds
        usage, search = record.attempt.usage, record.attempt.search
        counts["prompt_tokens"] += usage.prompt_tokens
        counts["completion_tokens"] += usage.completion_tokens
        counts["truncated"] += usage.truncated
        seconds["verify_s"].append(record.verdict.seconds)
        if search is None:
            return
        counts["expansions"] += search.expanded
        counts["created"] += search.created
        counts["tactic_calls"] += search.tactics_tried
        counts["invalid"] += search.invalid
        counts["duplicates"] += search.duplicates
        counts["proofs"] += record.verdict.status is Status.PROVED
        seconds["policy_s"].append(search.policy_s)
        seconds["lean_s"].append(search.lean_s)
        seconds["value_s"].append(search.value_s)
        self._stopped[search.stopped] += 1

    def total(self) -> Effort:
        """The sums."""
        counts = dict(self._counts)
        calls, proofs = self._counts["tactic_calls"], counts.pop("proofs", 0)
        seconds = {name: math.fsum(values) for name, values in self._seconds.items()}
        return Effort(
            **counts,
            policy_s=seconds["policy_s"],
            lean_s=seconds["lean_s"],
            value_s=seconds["value_s"],
            verify_s=seconds["verify_s"],
            invalid_share=self._counts["invalid"] / calls if calls else None,
            tactic_calls_per_proof=calls / proofs if proofs else None,
            stopped=dict(sorted(self._stopped.items())),
        )
