"""Which attempts of a run are recorded. A few bytes for each: a run may hold a million."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.types import ProblemRef, Record, Status

Key = tuple[str, str, int]
"""What identifies a record within a run: problem, revision, sample."""


class Ledger:
    """The attempts at some problems: for each one recorded, whether the machine failed it."""

    def __init__(
        self, problems: Iterable[tuple[str, str]], samples: int | None = None, inputs: str | None = None
    ) -> None:
        """`problems`: (id, revision) of each; `samples`: attempts made at each, where that is known;
        `inputs`: digest of what their records depend on, where they are held against it."""
        self.inputs = inputs
        self._failed: dict[tuple[str, str], dict[int, bool]] = {problem: {} for problem in problems}
        self._samples = samples

    def __len__(self) -> int:
        return sum(map(len, self._failed.values()))

    def __iter__(self) -> Iterator[tuple[tuple[str, str], bool]]:
        """(id, revision) of the problem of each attempt, and whether the machine failed it."""
        for problem, attempts in self._failed.items():
            for failed in attempts.values():
                yield problem, failed

    def add(self, record: Record) -> None:
        """Enter a record, which replaces the one that its attempt has."""
        failed = record.verdict.status is Status.INFRA
        self._failed[record.problem_id, record.revision][record.attempt.index] = failed

    def failed(self, problem: tuple[str, str], index: int) -> bool | None:
        """Whether the machine failed that attempt; None when it is not recorded."""
        return self._failed[problem].get(index)

    def objection(self, record: Record) -> str | None:
        """Why `record` cannot be entered, None when it can. Only what the machine failed is done again."""
        name, revision, index = record.key
        attempts = self._failed.get((name, revision))
        if attempts is None:
            return f"{name} at revision {revision} is none of this run's problems"
        if self._samples is not None and index >= self._samples:
            return f"sample {index} of {name}, but this run makes {self._samples} (0 to {self._samples - 1})"
        return f"a second record of {name}, sample {index}" if attempts.get(index) is False else None

    def unscored_share(self, problems: Iterable[ProblemRef], samples: int) -> float:
        """Share of the attempts owed that the machine failed; canaries are no part, as on every board."""
        counted = {problem.key for problem in problems if not problem.canary}
        failed = sum(failed for problem, failed in self if problem in counted)
        return failed / (len(counted) * samples) if counted else 0.0
