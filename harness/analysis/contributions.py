"""What each of a union's two provers adds: from the records alone."""

from __future__ import annotations

from collections.abc import Iterable

from harness.analysis.summary import Contribution
from harness.types import Record, Status

PROVERS = ("first", "second")
Key = tuple[str, str]


class Contributions:
    """Counts whose proofs they are, by the `origin` of the attempts of a union, as records come in.

    The second is asked where the first found nothing within its share, so what it adds is what it proves.
    """

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._proved: dict[str, dict[Key, int]] = {side: {} for side in PROVERS}
        self._kinds = dict.fromkeys(PROVERS, "")
        for record in records:
            self.add(record)

    def add(self, record: Record) -> None:
        """Take in a record; one that is no proof of a union counts nowhere."""
        side, _, kind = record.attempt.origin.partition(": ")
        if record.verdict.status is Status.PROVED and side in self._proved:
            key = (record.problem_id, record.revision)
            self._proved[side][key] = self._proved[side].get(key, 0) + 1
            self._kinds[side] = kind

    def proved(self, side: str) -> frozenset[Key]:
        """Problems that one of the two proved in some attempt."""
        return frozenset(self._proved[side])

    def each(self) -> tuple[Contribution, ...]:
        """One entry for each of the two."""
        found = []
        for side, other in (PROVERS, PROVERS[::-1]):
            mine, theirs = self._proved[side], self._proved[other]
            only = sum(key not in theirs for key in mine)
            found.append(Contribution(side, self._kinds[side], len(mine), only, sum(mine.values())))
        return tuple(found)

    @property
    def any(self) -> bool:
        """Whether there is a proof of a union among the records."""
        return any(self._proved.values())
