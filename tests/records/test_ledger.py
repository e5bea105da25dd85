"""Which attempts are recorded, and what may not be entered."""

from __future__ import annotations

from harness.records.ledger import Ledger
from harness.types import ProblemRef
from tests.making import record, ref, refs


def entered(samples: int, *statuses: str, name: str = "p000") -> Ledger:
    ledger = Ledger([*(one.key for one in refs(2)), ref("c").key], samples)
    for index, status in enumerate(statuses):
        ledger.add(record(name, status, index))
    return ledger


def test_the_unscored_share_is_of_what_is_owed() -> None:
    failed = entered(4, "infra", "proved", "timeout", "infra")
    assert failed.unscored_share(refs(2), 4) == 0.25
    assert entered(4).unscored_share(refs(2), 4) == entered(4).unscored_share([], 4) == 0.0
    canaries: list[ProblemRef] = [ref("c", canary=True)]
    assert failed.unscored_share([*refs(2), *canaries], 4) == 0.25, "canaries do not dilute it"
    assert entered(4, "infra", name="c").unscored_share([*refs(2), *canaries], 4) == 0.0


def test_only_what_the_machine_failed_is_entered_again() -> None:
    ledger = entered(2, "infra", "rejected")
    assert len(ledger) == 2 and [ledger.failed(ref("p000").key, index) for index in range(3)] == [
        True,
        False,
        None,
    ]
    assert ledger.objection(record("p000")) is None
    assert "second record of p000, sample 1" in str(ledger.objection(record("p000", index=1)))
    assert "this run makes 2 (0 to 1)" in str(ledger.objection(record("p001", index=2)))
    assert "none of this run's problems" in str(ledger.objection(record("q")))
    ledger.add(record("p000"))
    assert len(ledger) == 2 and ledger.failed(ref("p000").key, 0) is False
