"""Canaries: problems mixed into a run that only a broken checker can prove.

A *false* canary is refutable: no proof of it can be right. A *pair* states S and its negation under two
names: one of them may be proved, both never. Their records carry the benchmark name `canary`, so that no
figure counts them, and `check_canaries` stops the run when one of them shows that proofs cannot be trusted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from harness.errors import HarnessError, UserError
from harness.types import Problem, Record, Status

BENCHMARK = "canary"

_FALSE_CORE = (
    "1 = 2",
    "False",
    "∀ P : Prop, P",
    "∀ P Q : Prop, P ∨ Q → P",
    "∀ P Q : Prop, (P → Q) → Q → P",
    "∀ a b : Nat, a + b = a",
    "∀ n : Nat, n + 1 ≤ n",
    "∃ n : Nat, n < 0",
    "∀ (P : Nat → Prop), (∃ n, P n) → ∀ n, P n",
    "∀ xs : List Nat, xs ++ [0] = xs",
    "∀ a b c : Nat, a + b = a + c → a = b",
    "∀ (P Q : Prop), ¬(P ∧ Q) → ¬P ∧ ¬Q",
)
_PAIRS_CORE = (
    "∀ n : Nat, n + 0 = n",
    "∀ P : Prop, P → P",
    "∃ n : Nat, n + n = 3",
    "∀ a b : Nat, a + b = b + a",
    "∀ xs : List Nat, [] ++ xs = xs",
    "∀ P Q : Prop, P ∧ Q → Q ∧ P",
)
_FALSE_MATHLIB = (
    "∀ x : ℝ, 0 < x ^ 2",
    "∀ a b : ℝ, (a + b) ^ 2 = a ^ 2 + b ^ 2",
    "∀ n : ℕ, Nat.Prime n → Odd n",
    "∀ x : ℚ, x ^ 2 ≠ 1",
    "∀ a b : ℤ, a ∣ b → b ∣ a",
    "∀ (f : ℝ → ℝ), (∀ x, f (f x) = x) → ∀ x, f x = x",
)
_PAIRS_MATHLIB = (
    "∀ x : ℝ, 0 ≤ x ^ 2",
    "∃ x : ℚ, x ^ 2 = 2",
    "∀ n : ℕ, n ^ 2 % 4 < 2",
    "∃ p : ℕ, Nat.Prime p ∧ 100 < p",
)


class CanaryProved(HarnessError):
    """A false statement came back as proved: no verdict of this run can be trusted."""


def canaries(header: str, toolchain: str) -> list[Problem]:
    """Every canary under `header`: those of the embedded fragment, and Mathlib's too where it is imported.

    `toolchain` is written into the problems; `core` keeps to the fragment.
    """
    mathlib = toolchain != "core" and "import Mathlib" in header
    false = [*_FALSE_CORE, *(_FALSE_MATHLIB if mathlib else ())]
    pairs = [*_PAIRS_CORE, *(_PAIRS_MATHLIB if mathlib else ())]
    made = [(f"canary_false_{i}", statement) for i, statement in enumerate(false)]
    for i, statement in enumerate(pairs):
        made.append((f"canary_pair_{i}_yes", statement))
        made.append((f"canary_pair_{i}_no", f"¬({statement})"))
    return [
        Problem(
            id=name,
            benchmark=BENCHMARK,
            split="test",
            header=header,
            statement=f"theorem {name} : {statement}",
            theorem=name,
            toolchain=toolchain,
            category=BENCHMARK,
        )
        for name, statement in made
    ]


def mix_canaries(problems: Sequence[Problem], count: int, seed: int) -> list[Problem]:
    """`problems` in their order with `count` canaries between them, chosen and placed by `seed`.

    A false one stands among the first twentieth, so that a broken checker is noticed before much is spent.
    Headers and toolchains are those of the problems they stand beside. The two halves of a pair always come
    together. Raises `UserError` when `count` is negative or more than there are, and for an empty list.
    """
    if not problems:
        raise UserError("canaries: there is no problem to mix them into")
    known = canaries(problems[0].header, problems[0].toolchain)
    if not 0 <= count <= len(known):
        raise UserError(f"canaries: {count} asked for; between 0 and {len(known)} are there")
    groups: dict[str, list[Problem]] = {}
    for canary in known:
        groups.setdefault(canary.id.removesuffix("_yes").removesuffix("_no"), []).append(canary)
    order = sorted(groups, key=lambda name: _rank(seed, name))
    chosen = _filled(count, [groups[name] for name in order])
    if chosen and not any(is_false(canary) for canary in chosen):
        chosen = _filled(
            count, sorted((groups[name] for name in order), key=lambda group: not is_false(group[0]))
        )
    mixed = list(problems)
    for canary in chosen:
        mixed.insert(_rank(seed, f"place of {canary.id}") % (len(mixed) + 1), canary)
    placed = [_beside(mixed, i) if item.benchmark == BENCHMARK else item for i, item in enumerate(mixed)]
    return _one_early(placed, seed)


def _filled(count: int, groups: Iterable[list[Problem]]) -> list[Problem]:
    """Whole groups, in order, as long as they have room among `count`."""
    chosen: list[Problem] = []
    for group in groups:
        if len(chosen) + len(group) <= count:
            chosen.extend(group)
    return chosen


def _one_early(mixed: list[Problem], seed: int) -> list[Problem]:
    first = next((i for i, item in enumerate(mixed) if is_false(item)), None)
    if first is not None:
        early = _rank(seed, "the early place") % max(1, len(mixed) // 20)
        mixed.insert(min(early, first), mixed.pop(first))
    return mixed


def is_false(problem: Problem) -> bool:
    """Whether the problem is a canary that nothing can prove."""
    return problem.benchmark == BENCHMARK and bool(contradictions({problem.id}))


def is_canary(record: Record) -> bool:
    """Whether the record is a canary's; no figure may count it."""
    return record.benchmark == BENCHMARK


def contradictions(proved: Collection[str]) -> list[str]:
    """What the ids of `proved` canaries show to be wrong: false ones, and pairs with both halves."""
    found = [name for name in sorted(proved) if name.startswith("canary_false_")]
    halves = {name.removesuffix("_yes") for name in proved if name.endswith("_yes")}
    return found + sorted(name for name in halves if f"{name}_no" in proved)


def check_canaries(records: Iterable[Record]) -> None:
    """Raise `CanaryProved` when a false canary, or both halves of a pair, were proved."""
    proved: dict[str, Record] = {}
    for record in records:
        if is_canary(record) and record.verdict.status is Status.PROVED:
            proved[record.problem_id] = record
    for name in contradictions(proved):
        what = (
            f"the false canary {name} was proved" if name in proved else f"both halves of {name} were proved"
        )
        raise CanaryProved(_alarm(what, proved.get(name) or proved[f"{name}_no"]))


def _alarm(what: str, record: Record) -> str:
    verdict = record.verdict
    return (
        f"{what} (attempt {record.attempt.index}, {verdict.verifier} at level {verdict.level}): the checker "
        f"is broken or was deceived, so no proof of this run counts. The proof: {record.attempt.proof!r}"
    )


def _beside(mixed: Sequence[Problem], index: int) -> Problem:
    """The canary at `index` under the header of the nearest real problem: it has to pass for one of them."""
    real = [i for i, item in enumerate(mixed) if item.benchmark != BENCHMARK]
    nearest = mixed[min(real, key=lambda i: abs(i - index))]
    same = canaries(nearest.header, nearest.toolchain)
    known = {canary.statement for canary in same}
    if mixed[index].statement not in known:
        return mixed[index]
    return replace(mixed[index], header=_plain(nearest), toolchain=nearest.toolchain)


def _plain(problem: Problem) -> str:
    # A header with answer holes is not a canary's to fill.
    return problem.header if not problem.holes else problem.header.split("\n", 1)[0] + "\n\n"


def _rank(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}\n{name}".encode()).digest()[:8], "big")
