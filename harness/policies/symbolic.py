"""A policy without a model: tactics chosen by the shape of the goal and of the hypotheses.

What it proposes is a fixed list, stated here, so that "the portfolio solves it" means the same everywhere:

- always: `assumption rfl contradiction trivial omega decide simp`, and `simp_all` in the strong list
- by the target: `intro`, `constructor`, `left`, `right`, `refine ⟨x, ?_⟩` for each variable, `exfalso`
- by each hypothesis: `obtain ⟨_, _⟩ := h`, `rcases h with _ | _`, `apply h`, `rw [h]`, `rw [← h]`, `subst h`
- by each variable of type Nat or List: `induction x`

Costs stand in for log-probabilities (a tactic of cost c has log-probability -c): closing tactics first, then
those that lose nothing (`intro`, splitting a conjunction), then those that choose or may loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import SpecError
from harness.lean.text.lexer import Token, lex, significant
from harness.lean.text.printed import read_goal
from harness.types import Problem, ProofState, Proposal, Proposed, Sample

CLOSERS = ("assumption", "rfl", "contradiction", "trivial", "omega", "decide", "simp")
STRONG = (*CLOSERS, "simp_all")
"""With the tactic that simplifies everything by everything, nearly a decision procedure for such goals."""
CLOSE, SAFE, SPLIT, CHOOSE, WILD = 0.1, 0.2, 0.5, 1.0, 2.0
_BRACKETS = {"(": 1, "[": 1, "{": 1, "⟨": 1, ")": -1, "]": -1, "}": -1, "⟩": -1}
_LEVELS = (("↔",), ("→",), ("∨",), ("∧",), ("=", "≠", "≤", "<", "≥", ">"))
"""Symbols from the loosest to the tightest."""


@dataclass(frozen=True, slots=True)
class GoalShape:
    """One goal, read from how Lean prints it."""

    hypotheses: tuple[tuple[str, str], ...]
    """(name, type) of every variable and hypothesis, in order."""
    target: str


@dataclass(frozen=True, slots=True)
class SymbolicPolicy:
    """Implements `Policy.propose`; it writes no whole proofs."""

    closers: tuple[str, ...] = CLOSERS

    async def propose(self, states: Sequence[ProofState], seeds: Sequence[int], k: int) -> list[Proposed]:
        """At most `k` tactics for each state, cheapest first, whatever the seeds; no token is generated."""
        return [self._proposed(state, k) for state in states]

    def _proposed(self, state: ProofState, k: int) -> Proposed:
        return Proposed(tuple(proposals(state.goals[0], self.closers)[:k]) if state.goals else ())

    async def sample(self, problems: Sequence[Problem], seeds: Sequence[int]) -> list[Sample]:
        """Refused: raises `SpecError`."""
        raise SpecError("the symbolic policy writes no whole proofs; use it with a step-wise prover")


def proposals(goal: str, closers: Sequence[str] = CLOSERS) -> list[Proposal]:
    """Tactics for one goal, cheapest first, each once."""
    shape = read(goal)
    costs: dict[str, float] = dict.fromkeys(closers, CLOSE)
    for tactic, cost in [*_on_target(shape), *_on_hypotheses(shape), *_inductions(shape)]:
        costs.setdefault(tactic, cost)
    ranked = sorted(costs.items(), key=lambda item: item[1])
    return [Proposal(tactic, -cost, 1) for tactic, cost in ranked]


def read(goal: str) -> GoalShape:
    """Hypotheses that a tactic can name, one by one, and target of a printed goal."""
    printed = read_goal(goal)
    named = [(name, kind) for names, kind in printed.hypotheses for name in names.split()]
    return GoalShape(tuple((name, kind) for name, kind in named if "✝" not in name), printed.target)


def connective(text: str) -> str:
    """The outermost symbol of a formula: `∀ ∃ ¬`, one of the binary ones, or empty for an atom."""
    code = significant(lex(text))
    while code and code[0].text == "(" and _closing(code) == len(code) - 1:
        code = code[1:-1]
    if not code:
        return ""
    if code[0].text in ("∀", "∃"):
        return code[0].text
    depth = 0
    outer: list[str] = []
    for token in code:
        depth += _BRACKETS.get(token.text, 0)
        if depth == 0:
            if token.text in ("∀", "∃"):
                break  # a binder reaches to the end
            outer.append(token.text)
    for level in _LEVELS:
        for symbol in level:
            if symbol in outer:
                return symbol
    return "¬" if code[0].text == "¬" else ""


def _closing(code: Sequence[Token]) -> int:
    depth = 0
    for place, token in enumerate(code):
        depth += _BRACKETS.get(token.text, 0)
        if depth == 0:
            return place
    return -1


def _fresh(shape: GoalShape, letter: str, count: int) -> list[str]:
    numbers = [
        int(name[len(letter) :])
        for name, _ in shape.hypotheses
        if name.startswith(letter) and name[len(letter) :].isdecimal()
    ]
    first = 1 + max(numbers, default=0)
    return [f"{letter}{first + place}" for place in range(count)]


def _on_target(shape: GoalShape) -> list[tuple[str, float]]:
    kind = connective(shape.target)
    if kind in ("∀", "→", "¬", "≠"):
        return [(f"intro {_fresh(shape, 'x' if kind == '∀' else 'h', 1)[0]}", SAFE)]
    if kind in ("∧", "↔"):
        return [("constructor", SAFE)]
    if kind == "∨":
        return [("left", CHOOSE), ("right", CHOOSE), ("exfalso", WILD)]
    if kind == "∃":
        points = [name for name, text in shape.hypotheses if _is_point(text)]
        return [*((f"refine ⟨{name}, ?_⟩", CHOOSE) for name in points), ("exfalso", WILD)]
    return [] if shape.target == "False" else [("exfalso", WILD)]


def _is_point(text: str) -> bool:
    """Whether a thing of this type may be a witness: no proposition, type, function or proof."""
    return connective(text) == "" and text not in ("Prop", "Type", "False", "True") and " " not in text


def _on_hypotheses(shape: GoalShape) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for name, text in shape.hypotheses:
        kind = connective(text)
        first, second = _fresh(shape, "h", 2)
        if kind in ("∧", "↔"):
            found.append((f"obtain ⟨{first}, {second}⟩ := {name}", SAFE))
        elif kind == "∃":
            found.append((f"obtain ⟨{_fresh(shape, 'x', 1)[0]}, {first}⟩ := {name}", SAFE))
        elif kind == "∨":
            found.append((f"rcases {name} with {first} | {first}", SPLIT))
        elif kind in ("→", "¬", "∀"):
            if text.endswith("Prop") or not _is_claim(text):
                continue
            found.append((f"apply {name}", CHOOSE))
            found += [(f"rw [{name}]", WILD)] if "=" in text.split() else []
        elif kind == "=":
            found += [(f"rw [{name}]", CHOOSE), (f"rw [← {name}]", WILD), (f"subst {name}", CHOOSE)]
    return found


def _is_claim(text: str) -> bool:
    """Whether an arrow type is a statement rather than the type of a function (`α → α`, `Nat → Nat`)."""
    last = text.rsplit("→", 1)[-1].strip()
    return not (connective(text) == "→" and (last in ("Nat", "α", "β", "Type") or last.startswith("List ")))


def _inductions(shape: GoalShape) -> list[tuple[str, float]]:
    return [
        (f"induction {name}", WILD) for name, text in shape.hypotheses if text == "Nat" or text[:5] == "List "
    ]
