"""Monte-Carlo tree search over states of several goals, held against counts by hand and by brute force."""

from __future__ import annotations

import asyncio
import itertools
import math
import random
from dataclasses import dataclass, field

import pytest

from harness.provers.mcts import MctsSpec
from harness.provers.prover import Tools
from harness.types import ProofState, Proposal, Step, StepResult
from tests.provers.toy_graph import PROBLEM, proposed

Moves = dict[str, dict[str, tuple[float, tuple[str, ...] | None]]]
"""Of each goal its tactics: log-probability and the goals that it leaves; None where it fails."""


@dataclass
class Goals:
    """States are lists of goals, a tactic acts on the first; every goal has a value of its own."""

    moves: Moves
    values: dict[str, float]
    asked: list[str] = field(default_factory=list)
    overlaps: bool = False

    async def open(self, problem):
        return self

    async def start(self):
        return ProofState(("root",))

    async def apply(self, state, tactic):
        left = self.moves[state.goals[0]][tactic][1]
        if left is None:
            return StepResult(Step.INVALID)
        goals = (*left, *state.goals[1:])
        return StepResult(Step.OPEN, ProofState(goals)) if goals else StepResult(Step.DONE)

    async def close(self):
        return None

    async def propose(self, states, seeds, k):
        self.asked += [" ".join(state.goals) for state in states]
        return [
            proposed([Proposal(name, move[0], 1) for name, move in self.moves[state.goals[0]].items()])
            for state in states
        ]

    async def score(self, states):
        return [min(self.values[goal] for goal in state.goals) for state in states]


def searched(world: Goals, **settings) -> tuple[list[str], str]:
    """(the states in the order of their expansion, why the search ended)."""
    spec = MctsSpec(goals="hardest", **settings)
    tools = Tools(world, lambda sampling: world, lambda: world, 0.5)
    found = asyncio.run(spec.build(tools).attempt(PROBLEM, 0, 0))
    assert found.search is not None and found.search.expanded == len(world.asked)
    return world.asked, found.search.stopped


def test_the_count_of_a_small_graph_is_that_by_hand():
    """Alpha 0, gamma 1/2. `a` leaves an easy goal (0.9) and a hard one (0.6), `b` one goal of 0.5.

    1 root; 2 `easy hard`, worth 0.6; 3 `hard`, since 0.6 > 0.5. Up from there: easy is closed, worth gamma =
    0.5, and hard only waited, still 0.6, so the pair is worth 0.5, on average 0.55. 4 `worse`, where all
    fails: the pair is worth 0, on average 0.37 < 0.5. 5 `other`, which closes. Were the waiting goal
    discounted, the pair would be at 0.45 after 3, and 4 be left out.
    """
    moves: Moves = {
        "root": {"a": (-1.0, ("easy", "hard")), "b": (-1.0, ("other",))},
        "easy": {"x": (-1.0, ())},
        "hard": {"y": (-1.0, ("worse",))},
        "worse": {"z": (-1.0, None)},
        "other": {"w": (-1.0, ())},
    }
    world = Goals(moves, {"root": 0.5, "easy": 0.9, "hard": 0.6, "worse": 0.1, "other": 0.5})
    assert searched(world, alpha=0.0) == (["root", "easy hard", "hard", "worse", "other"], "proved")


@pytest.mark.parametrize("seed", range(40))
def test_the_order_of_expansions_is_that_of_a_plain_recursion(seed: int):
    moves, values = grown(random.Random(seed))
    alpha = (0.0, 0.3, 0.7)[seed % 3]
    assert searched(Goals(moves, values), alpha=alpha) == plain(moves, values, alpha, gamma=0.5)


def grown(draw: random.Random) -> tuple[Moves, dict[str, float]]:
    """A random tree of goals, three deep; some goals cannot be closed."""
    names = (f"g{number}" for number in itertools.count())
    moves: Moves = {}

    def grow(name: str, depth: int) -> None:
        moves[name] = {}
        for number in range(draw.randrange(1, 4)):
            left = [next(names) for _ in range(draw.randrange(3 if depth else 1))]
            fails = draw.random() < (0.3 if depth else 0.8)
            moves[name][f"t{number}"] = (-draw.random() * 3, None if fails else tuple(left))
            for goal in () if fails else left:
                grow(goal, depth - 1)

    grow("root", 3)
    return moves, {name: draw.random() for name in moves}


def plain(moves: Moves, values: dict[str, float], alpha: float, gamma: float) -> tuple[list[str], str]:
    """The search as its definition has it, everything computed anew from the list of simulations."""
    simulations: list[list[tuple[tuple[str, ...], str]]] = []
    worth_of: dict[tuple[str, ...], list[float]] = {}
    dead: set[tuple[str, ...]] = set()
    order: list[str] = []

    def quality(state):
        seen = worth_of.get(state, [])
        return sum(seen) / len(seen) if seen else min(values[goal] for goal in state)

    def score(state, tactic):
        options = moves[state[0]]
        prior = math.exp(options[tactic][0]) / sum(math.exp(logprob) for logprob, _ in options.values())
        taken = sum((state, tactic) in one for one in simulations)
        explore = prior * math.sqrt(len(worth_of.get(state, []))) / (1 + taken)
        return (1 - alpha) * quality((*options[tactic][1], *state[1:])) + alpha * explore

    def backed_up(path, leaf):
        """The worth of every state of the path, each from its goals' own subtrees."""
        fails = all(left is None for _, left in moves[leaf[0]].values())
        worth = {goal: values[goal] for goal in leaf} | ({leaf[0]: 0.0} if fails else {})
        told = [(leaf, min(worth[goal] for goal in leaf))]
        for state, tactic in reversed(path):
            left = moves[state[0]][tactic][1]
            worth[state[0]] = gamma * min((worth[goal] for goal in left), default=1.0)
            told.append((state, min(worth[goal] for goal in state)))
        return told

    while ("root",) not in dead:
        state, path = ("root",), []
        while " ".join(state) in order:
            options = moves[state[0]]
            alive = [
                name
                for name, (_, left) in options.items()
                if left is not None and (*left, *state[1:]) not in dead
            ]
            if not alive:
                dead.add(state)
                break
            best = max(alive, key=lambda name: score(state, name))
            path.append((state, best))
            state = (*options[best][1], *state[1:])
        else:
            order.append(" ".join(state))
            if len(state) == 1 and any(left == () for _, left in moves[state[0]].values()):
                return order, "proved"
            for one, value in backed_up(path, state):
                worth_of.setdefault(one, []).append(value)
            simulations.append(path)
    return order, "exhausted"
