"""Which part of a model's answer is Lean. Pure and total; never free text when there is a code block.

The rule of the published provers: the last complete Lean block after any thinking section. What is taken is
only a candidate: of it nothing but helpers and the proof ever reaches Lean, under our own statement.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<mark>`{3,}|~{3,})[ \t]*(?P<tag>[^`]*?)[ \t]*$")
_THOUGHT = re.compile(r"</(think|thinking|thought)>", re.IGNORECASE)
_THINKS = re.compile(r"<(think|thinking|thought)>", re.IGNORECASE)
_DECLARES = re.compile(r"^\s*(?:import|theorem|lemma|example|open|set_option|namespace|private|protected)\b")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was taken of an answer."""

    text: str
    """Lean source; empty when the answer holds none."""
    origin: str
    """Where it stood, in words; or why there is none."""


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block."""

    tag: str
    """Its info string, lower case."""
    text: str
    complete: bool
    """It has a closing fence."""

    @property
    def is_lean(self) -> bool:
        """Whether its tag says Lean."""
        return self.tag.split(maxsplit=1)[:1] in (["lean"], ["lean4"])


def last_block(answer: str) -> Reading:
    """The last complete Lean block after any thinking section.

    Without one: an unclosed Lean block at the end; then the same among blocks without a tag; then, where
    there is no block at all, a whole file or a tactic block that stands between prose.
    """
    text, note = after_thinking(plain(answer))
    if text is None:
        return Reading("", note)
    found = blocks(text)
    for kind, chosen in (
        ("Lean", [item for item in found if item.is_lean]),
        ("untagged", [item for item in found if not item.tag]),
    ):
        complete = [item for item in chosen if item.complete]
        if complete:
            return Reading(complete[-1].text, f"last of {len(complete)} {kind} blocks{note}")
        if chosen:
            return Reading(chosen[-1].text, f"unclosed {kind} block{note}")
    if found:
        return Reading("", f"no Lean block among {len(found)}{note}")
    return _without_fences(text, note)


def until_fence(answer: str) -> Reading:
    """What stands before the first fence: for prompts that end inside an open block."""
    text = plain(answer)
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if _FENCE.match(line):
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


def plain(answer: str) -> str:
    """Line ends as "\\n", no byte-order mark."""
    return answer.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")


def after_thinking(text: str) -> tuple[str | None, str]:
    """(what follows the last thinking section, words for the record); None when it never ended.

    Some chat templates write the opening mark into the prompt, so a closing mark alone ends a section too.
    """
    ends = list(_THOUGHT.finditer(text))
    rest = text[ends[-1].end() :] if ends else text
    if _THINKS.search(rest):
        return None, "the thinking section never ended"
    return rest, ", after the thinking section" if ends else ""


def blocks(text: str) -> list[Block]:
    """Every fenced block, in order of their ends; blocks inside a block that is not Lean are found too.

    A fence with a tag never closes a block: in an open one that is as long it means that its closing fence
    was forgotten, in a longer one that the inner block belongs to its text.
    """
    found: list[Block] = []
    lines = text.split("\n")
    opened: re.Match[str] | None = None
    start = 0
    for number, line in enumerate(lines):
        fence = _FENCE.match(line)
        if fence is None or (opened is not None and not _ends(fence, opened)):
            continue
        if opened is not None:
            found += _block(opened, lines[start:number], complete=not fence["tag"])
        opened = fence if opened is None or fence["tag"] else None
        start = number + 1
    return found if opened is None else found + _block(opened, lines[start:], complete=False)


def _ends(fence: re.Match[str], opened: re.Match[str]) -> bool:
    return fence["mark"].startswith(opened["mark"])


def _block(opened: re.Match[str], lines: Sequence[str], complete: bool) -> list[Block]:
    """The block, or what is fenced inside it when it is prose itself (`markdown`, a longer fence)."""
    indent = opened["indent"]
    block = Block(opened["tag"].lower(), "\n".join(line.removeprefix(indent) for line in lines), complete)
    inner = [] if block.is_lean else blocks(block.text)
    return inner or [block]


def _without_fences(text: str, note: str) -> Reading:
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if _DECLARES.match(line):
            return Reading(_code_run(lines[number:]), f"from the first declaration, no fence{note}")
    runs = [run for run in _paragraphs(lines) if _is_tactics(run)]
    if runs:
        return Reading("\n".join(runs[-1]), f"last tactic block, no fence{note}")
    return Reading("", f"no Lean found{note}")


def _code_run(lines: Sequence[str]) -> str:
    """`lines` up to the first paragraph that begins at the margin and reads as prose."""
    kept: list[str] = []
    for number, line in enumerate(lines):
        fresh = number > 0 and not lines[number - 1].strip() and line[:1] not in ("", " ", "\t")
        if fresh and _is_prose(line):
            break
        kept.append(line)
    return "\n".join(kept).rstrip()


def _is_prose(line: str) -> bool:
    words = line.split()
    return (
        len(words) > 3
        and words[0][0].isupper()
        and all(word.strip(".,;:!?'").isalpha() for word in words[:3])
    )


def _paragraphs(lines: Sequence[str]) -> list[list[str]]:
    """Runs of lines that read as tactics, each as long as it goes; blank lines inside a run belong to it."""
    runs: list[list[str]] = []
    run: list[str] = []
    for line in lines:
        if line.strip() and not _reads_as_tactic(line, bool(run)):
            runs.append(run)
            run = []
        elif line.strip() or run:
            run.append(line)
    runs.append(run)
    return [_trimmed(item) for item in runs if any(line.strip() for line in item)]


def _trimmed(run: list[str]) -> list[str]:
    while run and not run[-1].strip():
        run.pop()
    return run


def _reads_as_tactic(line: str, inside: bool) -> bool:
    if inside and line[:1] in (" ", "\t") and not _is_prose(line.strip()):
        return True
    return _is_tactics([line]) and not _is_prose(line.strip())


def _is_tactics(lines: Sequence[str]) -> bool:
    from harness.lean.text.layout import is_tactic_block
    from harness.lean.text.lexer import lex

    text = "\n".join(lines).strip()
    # Prose often begins with a word that is a tactic too ("Use the lemma."); Lean rarely ends in a full stop.
    return (
        bool(text)
        and not text.endswith((".", ":", "!", "?"))
        and (text.startswith("by ") or is_tactic_block(lex(text)))
    )
