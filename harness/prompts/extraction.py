"""Which part of a model's answer is Lean. Pure and total; never free text when there is a code block.

The rule of the published provers: the last complete Lean block after any thinking section. What is taken is
only a candidate: of it nothing but helpers and the proof ever reaches Lean, under our own statement.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.lean.text.markdown import FENCE, CodeBlock, after_thinking, between_prose, blocks, plain, unglued

__all__ = [
    "UNCLOSED",
    "CodeBlock",
    "Reading",
    "after_thinking",
    "blocks",
    "first_line",
    "last_block",
    "lean_blocks",
    "plain",
    "until_fence",
    "whole_text",
]


UNCLOSED = "unclosed untagged block"
"""Origin of what follows a single bare fence, which may as well end what stands before it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was taken of an answer."""

    text: str
    """Lean source; empty when the answer holds none."""
    origin: str
    """Where it stood, in words; or why there is none."""


def last_block(answer: str) -> Reading:
    """The last complete Lean block after any thinking section.

    Without one: an unclosed Lean block at the end; then the same among blocks without a tag; then, where
    there is no block at all, a whole file or a tactic block that stands between prose.
    """
    text, note = after_thinking(plain(answer))
    if text is None:
        return Reading("", note)
    found = blocks(unglued(text))
    for kind, unclosed, chosen in (
        ("Lean", "unclosed Lean block", [item for item in found if item.is_lean]),
        ("untagged", UNCLOSED, [item for item in found if not item.tag]),
    ):
        complete = [item for item in chosen if item.complete]
        if complete:
            return Reading(complete[-1].text, f"last of {len(complete)} {kind} blocks{note}")
        if chosen:
            return Reading(chosen[-1].text, unclosed + note)
    if found:
        return Reading("", f"no Lean block among {len(found)}{note}")
    text, origin = between_prose(text)
    return Reading(text, origin + note)


def lean_blocks(answer: str) -> tuple[list[str], str]:
    """(the complete Lean blocks after any thinking section, words for the record)."""
    text, note = after_thinking(plain(answer))
    found = [] if text is None else blocks(unglued(text))
    return [item.text for item in found if item.complete and item.is_lean], note


def until_fence(answer: str) -> Reading:
    """What stands before the first fence: for prompts that end inside an open block."""
    text = plain(answer)
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if FENCE.match(line):
            return Reading("\n".join(lines[:number]), "up to the closing fence")
    cut = text.find("```")
    if cut >= 0:
        return Reading(text[:cut], "up to the closing fence")
    return Reading(text, "whole answer, no closing fence")


def whole_text(answer: str) -> Reading:
    """The answer itself, without the blank space around it."""
    return Reading(plain(answer).strip(), "whole answer")


def first_line(answer: str) -> Reading:
    """The first line that is not blank."""
    lines = [line.strip() for line in plain(answer).split("\n") if line.strip()]
    return Reading(lines[0] if lines else "", "first line")
