"""A search tree for people: as indented lines, and as a page of its own that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from harness.provers.search_tree import Node, SearchTree
from harness.types import Step

_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em; max-width: 80em }
ul { list-style: none; padding-left: 1.2em; border-left: 1px solid #ccc; margin: 0 }
summary { cursor: pointer } pre { margin: .2em 0 .4em 1.2em; color: #444; white-space: pre-wrap }
code { font-weight: 600 } .figures, .refused { color: #777 }
.proof > details > summary code { color: #06752f }
.waiting > details > summary code { color: #777; font-weight: 400 }
"""


def children(tree: SearchTree) -> dict[int, list[Node]]:
    """Of each state the states that were reached through it, in the order of their meeting."""
    found: dict[int, list[Node]] = {}
    for node in tree.nodes:
        if node.parent is not None:
            found.setdefault(node.parent, []).append(node)
    return found


def figures(node: Node) -> str:
    """Priority and value of a state, and whether it was expanded."""
    value = "" if node.value is None else f", value {node.value:.3f}"
    refused = sum(edge.outcome in (Step.INVALID, Step.TIMEOUT) for edge in node.edges)
    what = f"{len(node.edges)} tactics, {refused} refused" if node.expanded else "waiting"
    return f"priority {node.priority:.3f}{value}; {what}"


@dataclass(frozen=True, slots=True)
class TreeLine:
    """One state of a tree, or the tactic that ended the proof, as a line."""

    depth: int
    tactic: str
    """That led here; `start` for the root."""
    state: str
    """All goals; `QED` after the last tactic of a proof."""
    figures: str
    on_proof: bool

    @property
    def target(self) -> str:
        """What the first goal asks for, on one line."""
        return " ".join(self.state.split("\n\n", 1)[0].rsplit("⊢", 1)[-1].split())


def branches(tree: SearchTree, *, waiting: bool = False) -> Iterator[TreeLine]:
    """The states of a tree, each before those reached through it. Waiting states only when asked for."""
    below, on_proof = children(tree), set(tree.on_proof)
    stack = [tree.nodes[0]] if tree.nodes else []
    while stack:
        node = stack.pop()
        proved = node.index in on_proof
        if node.expanded or waiting:
            yield TreeLine(node.steps, node.tactic or "start", node.state.text, figures(node), proved)
            if proved and tree.proof is not None and node.index == tree.on_proof[-1]:
                yield TreeLine(node.steps + 1, tree.proof[-1], "QED", "", True)
        stack.extend(reversed(below.get(node.index, [])))


def lines(tree: SearchTree, *, waiting: bool = False) -> Iterator[str]:
    """One line a state, indented by its depth; `*` marks the proof. Waiting states only when asked for."""
    for one in branches(tree, waiting=waiting):
        start = f"{'*' if one.on_proof else ' '} {'  ' * one.depth}{' '.join(one.tactic.splitlines())}"
        yield f"{start}  ⊢ {one.target}  [{one.figures}]" if one.figures else f"{start}  QED"


def page(tree: SearchTree, title: str) -> str:
    """The tree as one HTML page: states fold, and unfold along the proof."""
    below, on_proof = children(tree), set(tree.on_proof)
    parts: list[str] = []
    stack: list[Node | str] = [tree.nodes[0]]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            parts.append(item)
            continue
        parts.append(_opening(item, item.index in on_proof))
        closing = "</ul></details></li>"
        if tree.on_proof and item.index == tree.on_proof[-1] and tree.proof is not None:
            closing = f"<li><code>{escape(tree.proof[-1])}</code> QED</li>{closing}"
        stack.append(closing)
        stack.extend(reversed(below.get(item.index, [])))
    ending = f"a proof of {len(tree.proof)} tactics" if tree.proof is not None else "no proof"
    expanded = sum(node.expanded for node in tree.nodes)
    head = f"{len(tree.nodes)} states, {expanded} of them expanded; {ending}"
    return (
        f"<!doctype html><meta charset='utf-8'><title>{escape(title)}</title><style>{_STYLE}</style>"
        f"<h1>{escape(title)}</h1><p>{escape(head)}</p><ul>{''.join(parts)}</ul>\n"
    )


def _opening(node: Node, on_proof: bool) -> str:
    kind = "proof" if on_proof else "" if node.expanded else "waiting"
    refused = [edge.tactic for edge in node.edges if edge.outcome in (Step.INVALID, Step.TIMEOUT)]
    tried = f"<div class='refused'>refused: {escape('; '.join(refused))}</div>" if refused else ""
    name, unfolded = escape(node.tactic or "start"), " open" if on_proof else ""
    return (
        f"<li class='{kind}'><details{unfolded}><summary><code>{name}</code> "
        f"<span class='figures'>{escape(figures(node))}</span></summary>"
        f"<pre>{escape(node.state.text)}</pre>{tried}<ul>"
    )
