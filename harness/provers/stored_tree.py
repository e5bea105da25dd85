"""Search trees on the disk: one compressed file an attempt, with everything but the session's own handles."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from harness import files
from harness.errors import StoreError, UserError
from harness.provers.search_tree import Edge, Node, SearchTree
from harness.types import Problem, ProofState, Step

FOLDER, FORMAT = "trees", 1
PARTS = ("first", "second")
"""The provers of a union, in order."""


@dataclass(frozen=True, slots=True)
class TreeStore:
    """Keeps the trees of a run under its folder; an attempt that is made again replaces its own."""

    run: Path

    def __call__(self, problem: Problem, index: int, tree: SearchTree, part: str = "") -> None:
        """Keep one tree; `part`: whose, where an attempt has several."""
        path = _path(self.run, problem.id, index, part)
        path.parent.mkdir(exist_ok=True)
        text = json.dumps(to_json(tree), ensure_ascii=False, separators=(",", ":"))
        files.replace(path, gzip.compress(text.encode(), mtime=0), swept=False)


def place(run: Path, problem_id: str, index: int, part: str = "") -> Path:
    """Where the tree of an attempt lies; of a union's two without `part` the last one's, which has the proof
    where there is one."""
    named = [_path(run, problem_id, index, name) for name in ([part] if part else ["", *reversed(PARTS)])]
    return next((path for path in named if path.is_file()), named[0])


def _path(run: Path, problem_id: str, index: int, part: str) -> Path:
    suffix = f".{part}" if part else ""
    return run / FOLDER / f"{quote(problem_id, safe='')}.{index}{suffix}.json.gz"


def read(run: Path, problem_id: str, index: int, part: str = "") -> SearchTree:
    """A stored tree. Raises `UserError` when there is none, `StoreError` when its file is broken."""
    path = place(run, problem_id, index, part)
    try:
        data = gzip.decompress(path.read_bytes())
    except FileNotFoundError:
        raise UserError(
            f"{run.name} holds no {part + ' ' if part else ''}tree of sample {index} of {problem_id}; "
            "trees are kept with `--set runtime.trees=true`, of attempts made from then on"
        ) from None
    except (OSError, EOFError) as cause:
        raise StoreError(f"{path}: cannot be read: {cause}") from cause
    try:
        return from_json(json.loads(data))
    except (ValueError, KeyError, TypeError, IndexError) as cause:
        raise StoreError(f"{path}: is no search tree: {cause}") from cause


def to_json(tree: SearchTree) -> dict[str, Any]:
    """A plain object; `from_json` is its inverse, but for handles."""
    return {
        "format": FORMAT,
        "proof": tree.proof,
        "on_proof": tree.on_proof,
        "shortest": tree.shortest,
        "replayed": tree.replayed,
        "nodes": [_node(node) for node in tree.nodes],
    }


def _node(node: Node) -> dict[str, Any]:
    names = ("steps", "logprob", "parent", "tactic", "value", "priority", "ticket", "expanded", "complete")
    edges = [(edge.tactic, edge.outcome.value, edge.child, edge.logprob) for edge in node.edges]
    return {"goals": node.state.goals, **{name: getattr(node, name) for name in names}, "edges": edges}


def from_json(data: Mapping[str, Any]) -> SearchTree:
    """Rebuild a tree. Raises KeyError, TypeError or ValueError on a malformed object."""
    if data["format"] != FORMAT:
        raise ValueError(f"format {data['format']!r}, this version reads {FORMAT}")
    nodes = []
    for index, row in enumerate(data["nodes"]):
        fields = dict(row)
        state = ProofState(tuple(fields.pop("goals")))
        edges = [_edge(*parts) for parts in fields.pop("edges")]
        nodes.append(Node(index, state, edges=edges, **fields))
    proof, shortest = data["proof"], data["shortest"]
    return SearchTree(
        nodes,
        None if proof is None else tuple(proof),
        tuple(data["on_proof"]),
        None if shortest is None else tuple(shortest),
        data["replayed"],
    )


def _edge(tactic: str, outcome: str, child: int | None, gain: float) -> Edge:
    return Edge(tactic, Step(outcome), child, gain)
