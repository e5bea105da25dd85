"""The shortest proof inside a finished tree, tried out from the start.

States were merged up to the names of hypotheses, so a way through the tree may name them wrongly: what is
reported has gone through the session tactic by tactic. That costs tactic calls after the search, counted
apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from harness.errors import InfraError
from harness.protocols import Session
from harness.provers.search_tree import SearchTree
from harness.types import Step


async def shorten(tree: SearchTree, session: Session, *, minimise: bool) -> None:
    """Set `tree.shortest` and count in `tree.replayed`; a tree without a proof stays as it is.

    `minimise`: also leave out, from the end, every tactic without which the rest still closes the proof.
    """
    if tree.proof is None:
        return
    tree.shortest = tree.proof
    # A service that fails now takes nothing from a search that has its proof.
    with suppress(InfraError):
        await _shorten(tree, session, minimise)


async def _shorten(tree: SearchTree, session: Session, minimise: bool) -> None:
    assert tree.proof is not None and tree.shortest is not None
    way = shortest_way(tree)
    if len(way) < len(tree.proof) and await _closes(tree, session, way):
        tree.shortest = way
    if minimise:
        for place in reversed(range(len(tree.shortest))):
            shorter = tree.shortest[:place] + tree.shortest[place + 1 :]
            if shorter and await _closes(tree, session, shorter):
                tree.shortest = shorter


def shortest_way(tree: SearchTree) -> tuple[str, ...]:
    """Tactics of one of the shortest ways from the root to QED. Raises `ValueError` when there is none."""
    left, index = tree.tactics_left(), 0
    tactics: list[str] = []
    while True:
        tactic = tree.best_tactic(index, left)
        tactics.append(tactic)
        if left[index] == 1:
            return tuple(tactics)
        index = next(
            edge.child for edge in tree.nodes[index].edges if edge.tactic == tactic and edge.child is not None
        )


async def _closes(tree: SearchTree, session: Session, script: Sequence[str]) -> bool:
    """Whether the script proves the problem in the session: every tactic of it, and none too many."""
    state = await session.start()
    for place, tactic in enumerate(script, start=1):
        tree.replayed += 1
        result = await session.apply(state, tactic)
        if result.state is None:
            return result.outcome is Step.DONE and place == len(script)
        state = result.state
    return False
