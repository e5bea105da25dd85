"""`harness prompts`: the families of published provers, and what each one sends."""

from __future__ import annotations

import argparse
from typing import Any

from harness.commands import common
from harness.prompts import probes
from harness.prompts.family import Family
from harness.prompts.prompt import Prompt
from harness.prompts.registry import families, family
from harness.terminal.tables import Column, Table, show


def main(args: argparse.Namespace) -> int:
    """List the families; with a name, show what that one sends for a small problem or state."""
    if args.family is not None:
        chosen = family(args.family)
        common.print_json(_shown(chosen)) if args.json else print(_text(chosen))
        return 0
    if args.json:
        common.print_json([_row(item) for item in families().values()])
        return 0
    columns = [
        Column("family"),
        Column("writes"),
        Column("asked by"),
        Column("digest"),
        Column("source", spare=1),
    ]
    rows = [[str(cell) for cell in _row(item).values()] for item in families().values()]
    show([Table("prompt families", columns, rows)])
    return 0


def _row(item: Family) -> dict[str, Any]:
    writes = {"proofs": item.proof or item.proof_at, "tactics": item.tactic, "repairs": item.repair}
    return {
        "name": item.name,
        "writes": ", ".join(name for name, ask in writes.items() if ask),
        "asked_by": "chat" if any(prompt.messages for _, prompt in _prompts(item)) else "text",
        "digest": item.digest,
        "source": item.source,
    }


def _prompts(item: Family) -> list[tuple[str, Prompt]]:
    """What it sends, with a word for each."""
    problem, situation = probes.PROBLEMS[0], probes.SITUATIONS[0]
    found = [("whole proof", item.proof and item.proof(problem))]
    found.append(("whole proof", item.proof_at and item.proof_at(situation)))
    found.append(("tactic", item.tactic and item.tactic(situation)))
    found.append(("repair", item.repair and item.repair(problem, [probes.TURN])))
    return [(name, prompt) for name, prompt in found if prompt]


def _shown(item: Family) -> dict[str, Any]:
    advice = item.advice
    return {
        **_row(item),
        "advice": {"temperature": advice.temperature, "top_p": advice.top_p, "max_tokens": advice.max_tokens},
        "prompts": [
            {
                "for": name,
                "messages": [{"role": turn.role, "content": turn.content} for turn in prompt.messages],
                "text": prompt.text,
                "stop": list(prompt.stop),
            }
            for name, prompt in _prompts(item)
        ],
    }


def _text(item: Family) -> str:
    advice = item.advice
    lines = [
        f"{item.name}  {item.digest}",
        f"source: {item.source}",
        f"its authors decode at temperature {advice.temperature:g}, top-p {advice.top_p:g}, "
        f"{advice.max_tokens} tokens",
    ]
    for name, prompt in _prompts(item):
        turns = [(turn.role, turn.content) for turn in prompt.messages] or [("text", prompt.text)]
        for role, content in turns:
            lines += ["", f"--- {name}: {role}", content]
        if prompt.stop:
            lines.append(f"--- ends at {', '.join(map(repr, prompt.stop))}")
    return "\n".join(lines)
