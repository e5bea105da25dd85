"""How fast the embedded core is: tactic applications per second, and milliseconds to open a problem.

    python tests/bench/core_speed.py [seconds per figure, default 2]

The mixture is the list `MIXTURE`: per state some tactics that work and some that do not, as a policy proposes
them. Every application runs in full (parsing is cached by text, nothing else is), and includes the kernel's
check when it finishes a proof. simp and omega are timed apart as well. A second column prints the goals too,
as search does with every new state.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from harness.lean.core.session import TacticState, open_goal, prelude

STATES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "theorem t (P Q R : Prop) (hp : P) (hq : Q) (f : P → Q → R) : R ∧ (P ∨ Q)",
        (
            "constructor",
            "exact ⟨f hp hq, Or.inl hp⟩",
            "apply And.intro",
            "intro h",
            "exact hp",
            "assumption",
            "left",
        ),
    ),
    (
        "theorem t (P Q R : Prop) : (P → Q) → (Q → R) → P → R",
        ("intro h", "intro hpq hqr hp", "exact fun a b c => b (a c)", "exact hp", "constructor", "rw [h]"),
    ),
    (
        "theorem t (P Q R : Prop) (h : P ∨ Q) (hp : P → R) (hq : Q → R) : R",
        (
            "cases h",
            "rcases h with h | h",
            "exact h.elim hp hq",
            "apply hp",
            "exact hp h",
            "cases hp",
            "exact Or.elim h hq hp",
        ),
    ),
    (
        "theorem t (P : Nat → Prop) (n : Nat) (h : ∃ m, m = n ∧ P m) : P n",
        ("obtain ⟨m, rfl, hm⟩ := h", "cases h", "exact h", "apply h", "intro x", "rw [h]"),
    ),
    (
        "theorem t (a b c : Nat) (h : a = b) (g : b = c) : a + c = c + b",
        (
            "rw [h]",
            "rw [← g]",
            "subst h",
            "exact Nat.add_comm a c",
            "rw [Nat.add_comm]",
            "rfl",
            "rw [foo]",
            "exact h.trans g",
        ),
    ),
    (
        "theorem t (xs ys : List Nat) : (xs ++ ys).length = ys.length + xs.length",
        (
            "rw [List.length_append]",
            "induction xs",
            "cases xs",
            "rfl",
            "rw [List.append_nil]",
            "exact List.length_append",
        ),
    ),
    (
        "theorem t (P Q : Prop) (h : ¬P) (k : P ∧ Q) : False",
        ("exact h k.1", "apply h", "contradiction", "exact k.1", "cases k", "assumption", "exfalso"),
    ),
)
SIMP: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "theorem t (a b c : Nat) : a + b + c + 0 = c + (b + a)",
        ("simp", "simp [Nat.add_comm, Nat.add_left_comm]", "simp only [Nat.add_zero]"),
    ),
    ("theorem t (xs ys : List Nat) : (xs ++ [] ++ ys).length = xs.length + ys.length", ("simp", "simp [xs]")),
    ("theorem t (P Q : Prop) (h : P) : P ∧ (Q ∨ P)", ("simp", "simp [h]", "simp at h", "simp_all")),
)
OMEGA: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("theorem t (a b : Nat) (h : a ≤ b) : a < b + 1", ("omega",)),
    ("theorem t (a b c : Nat) (h : a + b = c) (g : b = 2) : a + 2 = c", ("omega",)),
    ("theorem t (a b : Nat) : a < b", ("omega",)),
)
MIXTURE = (*STATES, *[(s, t[:1]) for s, t in SIMP[:1]])


def rate(groups: tuple[tuple[str, tuple[str, ...]], ...], seconds: float, show: bool) -> tuple[float, float]:
    """Applications per second, and the share that succeeded."""
    env = prelude()
    work: list[tuple[TacticState, str]] = []
    for statement, tactics in groups:
        state = open_goal(env, "", statement)
        work += [(state, t) for t in tactics]
    for state, t in work:
        state.apply(t)
    done = good = 0
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        for state, t in work:
            result = state.apply(t)
            done += 1
            if result.state is not None:
                good += 1
                if show:
                    _ = result.state.goals
    return done / (time.perf_counter() - start), good / done


def opening(seconds: float) -> float:
    """Milliseconds to open a problem whose text has been seen, goals printed."""
    env = prelude()
    statements = [s for s, _ in (*STATES, *SIMP, *OMEGA)]
    for s in statements:
        _ = open_goal(env, "", s).goals
    done = 0
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        for s in statements:
            _ = open_goal(env, "", s).goals
            done += 1
    return 1000 * (time.perf_counter() - start) / done


def first_opening() -> float:
    """Milliseconds to open a problem whose text is new."""
    env = prelude()
    start = time.perf_counter()
    for k in range(100):
        _ = open_goal(
            env, "", f"theorem t{k} (a b c : Nat) (h : a = b + {k}) (g : b = c) : a + c = c + b"
        ).goals
    return 10 * (time.perf_counter() - start)


def main() -> None:
    """Print the figures."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    start = time.perf_counter()
    prelude()
    print(f"library built and checked: {time.perf_counter() - start:.2f} s")
    rows: list[tuple[str, Callable[[bool], tuple[float, float]]]] = [
        ("typical mixture", lambda show: rate(MIXTURE, seconds, show)),
        ("simp only", lambda show: rate(SIMP, seconds, show)),
        ("omega only", lambda show: rate(OMEGA, seconds, show)),
    ]
    for name, run in rows:
        plain, good = run(False)
        printed, _ = run(True)
        print(f"{name}: {plain:.0f} tactics/s ({100 * good:.0f} % valid), {printed:.0f}/s with goals printed")
    print(f"open a problem, text seen before: {opening(seconds):.2f} ms; new text: {first_opening():.2f} ms")


if __name__ == "__main__":
    main()
