"""From a proof that passed to (state, tactic, tactics left): training data for value model and generator.

Lean records every tactic of the proof with its place and the state before it. The recorded blocks are then
run again, one tactic at a time from the block's first state, so a label is never a guess: a block counts only
when its tactics, in order, close everything that it began with. The blocks are

- the proof itself: states with all open goals, as a search meets them (bullets are unfolded, `a <;> b` is one
  step);
- each block inside a step (`have .. := by ..`, the cases of `induction .. with`): a trajectory of its own,
  whose tactics left are counted to the end of that block. The outer step stays one step.

A proof by a term is the one step `exact term`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.errors import InfraError
from harness.lean.services.pool import ReplPool
from harness.lean.text.assemble import Assembly
from harness.lean.verdicts.checking import assembled, sound_header
from harness.lean.verdicts.replies import Kind
from harness.protocols import Candidate
from harness.types import Status, Verdict

_BULLETS = ("·", "•", ". ")


@dataclass(frozen=True, slots=True)
class ProvedStep:
    """One state on a proof."""

    state: str
    """All its goals, as `ProofState.text` gives them."""
    tactic: str
    left: int
    """Tactics left to the end of the block, this one included: 1 for the last."""
    whole: bool
    """On the proof itself; False for a block inside one of its steps."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One tactic as Lean recorded it. Offsets are into the source that was run."""

    start: int
    end: int
    state: Any
    """Handle of the state before it, for `Apply`."""
    goals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Applied:
    """What a tactic made of a state; `state` is None when it closed the last goal."""

    state: Any
    goals: tuple[str, ...]


Apply = Callable[[Any, str], Awaitable[Applied | None]]
"""(state, tactic) -> what came of it, or None when Lean refused."""


@dataclass(slots=True)
class _Node:
    start: int
    end: int
    first: Recorded
    children: list[_Node] = field(default_factory=list)


async def steps_in_core(
    candidate: Candidate, verdict: Verdict, heartbeats: int = 200_000
) -> list[ProvedStep]:
    """The steps of a proof, replayed in the embedded core; none unless `verdict` is PROVED."""
    if verdict.status is not Status.PROVED:
        return []
    from harness.lean.core.session import TacticState, open_goal, prelude, run

    assembly = assembled(candidate, heartbeats)
    env = run(prelude(), assembly.header, header=True).env
    result = run(env, assembly.candidate, all_tactics=True)
    offsets = _Offsets(assembly.candidate)

    async def apply(state: TacticState, tactic: str) -> Applied | None:
        done = state.apply(tactic)
        if done.state is None:
            return None
        if not done.state.goals:
            return Applied(None, ()) if done.status == "Completed" or "sorry" not in done.status else None
        return Applied(done.state, done.state.goals)

    recorded = [
        Recorded(
            offsets.of(step.pos.line, step.pos.column),
            offsets.of(step.end.line, step.end.column),
            step.state,
            step.state.goals,
        )
        for step in result.tactics
    ]
    root = open_goal(run(env, assembly.holes).env, "", candidate.problem.statement)
    return await replay(assembly, recorded, Recorded(0, 0, root, root.goals), apply)


async def steps_in_repl(
    pool: ReplPool, candidate: Candidate, verdict: Verdict, heartbeats: int = 200_000
) -> list[ProvedStep]:
    """The same in a REPL of the pool, from `allTactics`. Raises `InfraError` kinds when the REPL fails."""
    if verdict.status is not Status.PROVED:
        return []
    assembly = assembled(candidate, heartbeats)
    async with pool.lease(assembly.header) as lease:
        lease.count()
        env = sound_header(await lease.header(assembly.header))
        base = sound_header(await lease.send(assembly.holes, env)) if assembly.holes.strip() else env
        target = await lease.send(assembly.target, base)
        states = [entry for entry in target.sorries if entry.state is not None]
        if len(states) != 1:
            raise InfraError(f"{candidate.problem.id}: the statement gave no proof state")
        reply = await lease.send(assembly.candidate, env, all_tactics=True)

        async def apply(state: int, tactic: str) -> Applied | None:
            lease.start_clock()
            answer = await lease.tactic(tactic, state)
            if answer.kind is not Kind.TACTIC or answer.errors or answer.sorries:
                return None
            return Applied(answer.state, answer.goals) if answer.goals else Applied(None, ())

        recorded = _from_json(reply.tactics, assembly.candidate)
        root = Recorded(0, 0, states[0].state, (states[0].goal,))
        return await replay(assembly, recorded, root, apply)


async def replay(
    assembly: Assembly, recorded: Sequence[Recorded], root: Recorded, apply: Apply
) -> list[ProvedStep]:
    """The steps of all blocks that close, whole proof first; of equal states the one nearest to its end."""
    source = assembly.candidate
    proof = _proof_start(assembly)
    inside = [tactic for tactic in recorded if tactic.start >= proof]
    forest = _forest(inside)
    steps: list[ProvedStep] = []
    head = source[proof:].removeprefix(":=").lstrip()
    if head.startswith("by") and not head[2:3].isalnum():
        siblings = _unfolded(forest, source)
        steps += await _walk(siblings, source, apply, whole=True, root=root)
    else:
        term = _dedented(head.rstrip(), 0)
        siblings = forest
        ended = await apply(root.state, f"exact {term}")
        if ended is not None and ended.state is None:
            steps.append(ProvedStep("\n\n".join(root.goals), f"exact {term}", 1, True))
        steps += await _walk(_unfolded(forest, source), source, apply, whole=False)
    pending = [node for sibling in siblings for node in sibling.children]
    while pending:
        steps += await _walk(_unfolded(pending, source), source, apply, whole=False)
        pending = [child for node in pending for child in node.children]
    return _distinct(steps)


async def _walk(
    nodes: Sequence[_Node], source: str, apply: Apply, *, whole: bool, root: Recorded | None = None
) -> list[ProvedStep]:
    """Replay siblings: a block goes on while goals are left; the next begins at the next one's state."""
    steps: list[ProvedStep] = []
    block: list[tuple[str, str]] = []
    state, goals = (root.state, root.goals) if root is not None else (None, ())
    for node in nodes:
        if not block and (root is None or steps):
            state, goals = node.first.state, node.first.goals
        tactic = _text(node, source)
        result = await apply(state, tactic)
        if result is None:
            block = []
            if root is not None:
                return steps
            continue
        block.append(("\n\n".join(goals), tactic))
        state, goals = result.state, result.goals
        if state is None:
            steps += [
                ProvedStep(text, tactic, len(block) - place, whole)
                for place, (text, tactic) in enumerate(block)
            ]
            block = []
    return steps


def _forest(recorded: Sequence[Recorded]) -> list[_Node]:
    """Recorded tactics by containment. One range that was recorded several times is one node."""
    roots: list[_Node] = []
    path: list[_Node] = []
    for item in sorted(recorded, key=lambda tactic: (tactic.start, -tactic.end)):
        while path and item.start >= path[-1].end:
            path.pop()
        if path and (path[-1].start, path[-1].end) == (item.start, item.end):
            continue
        node = _Node(item.start, item.end, item)
        (path[-1].children if path else roots).append(node)
        path.append(node)
    return roots


def _unfolded(nodes: Sequence[_Node], source: str) -> list[_Node]:
    """Siblings with bullets replaced by what is in them, and `a <;> b` joined to one."""
    flat: list[_Node] = []
    for node in nodes:
        inner = _unfolded(node.children, source) if source.startswith(_BULLETS, node.start) else [node]
        for item in inner:
            if flat and source[flat[-1].end : item.start].strip() == "<;>":
                last = flat.pop()
                item = _Node(last.start, item.end, last.first, [*last.children, *item.children])
            flat.append(item)
    return flat


def _text(node: _Node, source: str) -> str:
    column = node.start - (source.rfind("\n", 0, node.start) + 1)
    return _dedented(source[node.start : node.end].rstrip(), column)


def _dedented(text: str, column: int) -> str:
    """`text` with `column` blanks less before each further line, as far as there are any."""
    first, *rest = text.split("\n")
    return "\n".join([first, *(line[min(column, len(line) - len(line.lstrip(" "))) :] for line in rest)])


def _proof_start(assembly: Assembly) -> int:
    """Where ` := ..` of the main theorem begins."""
    statement = assembly.problem.statement.rstrip()
    place = assembly.candidate.rfind(statement)
    found = assembly.candidate.find(":=", place + len(statement)) if place >= 0 else -1
    return len(assembly.candidate) if found < 0 else found


def _distinct(steps: Sequence[ProvedStep]) -> list[ProvedStep]:
    best: dict[str, ProvedStep] = {}
    for step in steps:
        known = best.get(step.state)
        if known is None or step.left < known.left:
            best[step.state] = step
    return list(best.values())


def _from_json(tactics: Sequence[Any], source: str) -> list[Recorded]:
    offsets = _Offsets(source)
    found = []
    for item in tactics:
        state, goals = item.get("proofState"), item.get("goals")
        if not isinstance(state, int) or not isinstance(goals, str) or not goals:
            continue
        start, end = item["pos"], item["endPos"]
        found.append(
            Recorded(
                offsets.of(start["line"], start["column"]),
                offsets.of(end["line"], end["column"]),
                state,
                tuple(goals.split("\n\n")),
            )
        )
    return found


class _Offsets:
    """Offsets of (line, column) in a text; lines 1-based, columns 0-based code points."""

    def __init__(self, text: str) -> None:
        self._starts = [0]
        for number, letter in enumerate(text):
            if letter == "\n":
                self._starts.append(number + 1)

    def of(self, line: int, column: int) -> int:
        return self._starts[min(line, len(self._starts)) - 1] + column
