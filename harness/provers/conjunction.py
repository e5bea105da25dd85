"""What goals are worth that have to be closed together: as much as the hardest of them.

The goals of a state are the children of an AND node, each the root of its own subtree. A tactic acts on the
first; what it leaves takes the first one's place and the others stay. So the worth of a goal is gamma times
that of the hardest goal that its tactic leaves, worth by worth down its own subtree, and a goal that only
waits is not discounted by the tactics spent on another (as AlphaProof backs up its AND nodes).
"""

from __future__ import annotations

from collections.abc import Sequence


def above(goals: Sequence[str], below: Sequence[str], worth: Sequence[float], gamma: float) -> list[float]:
    """The worth of each of `goals`, of which a tactic made the goals `below` with these worths.

    A goal that the tactic closed is worth gamma, one tactic from its end. A tactic that changed more than the
    first goal counts for all of them.
    """
    waiting = tuple(goals[1:])
    made = len(below) - len(waiting)
    if made >= 0 and tuple(below[made:]) == waiting:
        return [gamma * min(worth[:made], default=1.0), *worth[made:]]
    return [gamma * min(worth, default=1.0)] * len(goals)
