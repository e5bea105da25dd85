"""Where Lean stands in a model's answer: after the thinking, in fenced blocks, between prose. Pure, total."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness.lean.text.commands import code_of
from harness.lean.text.comments import without_comments
from harness.lean.text.forbidden import SORRY
from harness.lean.text.layout import is_tactic_block
from harness.lean.text.lexer import Token, lex
from harness.lean.text.scopes import plain_parts

FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<mark>`{3,}|~{3,})[ \t]*(?P<tag>[^`]*?)[ \t]*$")
_THOUGHT = re.compile(r"</(think|thinking|thought)>", re.IGNORECASE)
_THINKS = re.compile(r"<(think|thinking|thought)>", re.IGNORECASE)
_GLUED = re.compile(r"^(?![^`\n]*`[^`\n]*```)(?P<code>[^`\n]*[^`\s])[ \t]*```[ \t]*$", re.MULTILINE)
"""A closing fence on the last line of the code."""
_INLINE = re.compile(r"`([^`]+)`")
_MARKED = re.compile(r"#{1,6}\s|[>*]|-\s|\d+[.)]\s")
"""A line of Markdown that is no Lean: a heading, a quotation, emphasis, an item of a list."""
_DECLARES = re.compile(r"^\s*(?:import|theorem|lemma|example|open|set_option|namespace|private|protected)\b")


@dataclass(frozen=True, slots=True)
class CodeBlock:
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


def lean_part(answer: str, theorem: str) -> tuple[str, str]:
    """(the Lean of an answer, why there is none or empty).

    Of several fenced blocks the last one that declares `theorem` without a sorry, else the last that declares
    it, else the last one of Lean. An answer that only goes on with a block that the prompt had opened ends at
    its closing fence.
    """
    text, _ = after_thinking(_without_marks(plain(answer)))
    if text is None:
        return "", "its thinking section never ended"
    text = unglued(text)
    marks = [match for match in map(FENCE.match, text.split("\n")) if match is not None]
    if not marks:
        return _unfenced(text)
    found: list[CodeBlock] = []
    if _goes_on(text, marks):
        head, _, text = _at_first_fence(text)
        found.append(CodeBlock("lean4", head, True))
    found += blocks(text)
    written = [block for block in found if block.text.strip()]
    if not written:
        # An empty block is an empty answer, which has a reason of its own.
        return "", "" if found else "no Lean stands in it"
    return _chosen(written, theorem).text, ""


def _chosen(found: Sequence[CodeBlock], theorem: str) -> CodeBlock:
    if len(found) == 1:
        return found[0]
    declaring = [block for block in found if _declares(block.text, theorem)]
    finished = [block for block in declaring if not _holds_sorry(block.text)]
    lean = [block for block in found if block.is_lean]
    # A first block of Lean that is no file goes on with the prompt's own; later fragments explain it.
    return (finished or declaring or lean or found)[-1]


def _declares(text: str, theorem: str) -> bool:
    code = _code(text)
    wanted = plain_parts(theorem)
    return any(
        word.text in ("theorem", "lemma") and plain_parts(name.text)[-len(wanted) :] == wanted
        for word, name in pairwise(code)
    )


def _holds_sorry(text: str) -> bool:
    return any(token.text in SORRY for token in _code(text))


def _code(text: str) -> Sequence[Token]:
    return code_of(without_comments(text))


def _goes_on(text: str, marks: Sequence[re.Match[str]]) -> bool:
    """Whether the answer begins inside a block: its first fence closes, and Lean stands before it."""
    head, _, _ = _at_first_fence(text)
    unpaired = len(marks) % 2 == 1 or bool(marks[1]["tag"])
    return (
        bool(head.strip()) and not marks[0]["tag"] and unpaired and not is_prose(head.strip().split("\n")[0])
    )


def _at_first_fence(text: str) -> tuple[str, str, str]:
    lines = text.split("\n")
    first = next(number for number, line in enumerate(lines) if FENCE.match(line))
    return "\n".join(lines[:first]), lines[first], "\n".join(lines[first + 1 :])


def _unfenced(text: str) -> tuple[str, str]:
    """The answer as it stands, unless it begins with a sentence or with marks of Markdown."""
    inline = _INLINE.fullmatch(text.strip())
    if inline is not None:
        return inline[1], ""
    first = next((line.strip() for line in text.split("\n") if line.strip()), "")
    if not is_prose(first) and not _MARKED.match(first):
        return text, ""
    inner, _ = between_prose(text)
    return inner, "" if inner.strip() else "it is prose without any Lean"


_STOP_TEXT = "im_end endoftext end_of_text eot_id eom_id end eos assistant_end return"
_STOPS = re.compile(
    r"<\|(?:"
    + _STOP_TEXT.replace(" ", "|")
    + r")\|>|</s>|<｜[^｜\n]*｜>|<\|im_start\|>|\[/INST\]|<eos>|<end_of_turn>"
)
_STARTS = re.compile(
    r"^\s*(?:<s>|<bos>|<\|begin_of_text\|>|<｜[^｜\n]*｜>|<\|im_start\|>|<\|start_header_id\|>"
    r"|<\|end_header_id\|>|(?<=>)assistant\b)\s*"
)


def _without_marks(text: str) -> str:
    """The answer without a chat template's marks before it, up to the first one that ends it."""
    while (start := _STARTS.match(text)) is not None:
        text = text[start.end() :]
        text = re.sub(r"^assistant\s*\n", "", text)
    stop = _STOPS.search(text)
    return text if stop is None else text[: stop.start()]


def plain(answer: str) -> str:
    """Line ends as "\\n", no byte-order mark."""
    return answer.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")


def unglued(text: str) -> str:
    """`text` with every fence that ends a line of something else on a line of its own."""
    return _GLUED.sub("\\g<code>\n```", text)


def after_thinking(text: str) -> tuple[str | None, str]:
    """(what follows the last thinking section, words for the record); None when it never ended.

    Some chat templates write the opening mark into the prompt, so a closing mark alone ends a section too.
    """
    ends = list(_THOUGHT.finditer(text))
    rest = text[ends[-1].end() :] if ends else text
    if _THINKS.search(rest):
        return None, "the thinking section never ended"
    return rest, ", after the thinking section" if ends else ""


def blocks(text: str) -> list[CodeBlock]:
    """Every fenced block, in order of their ends; blocks inside a block that is not Lean are found too.

    A fence with a tag never closes a block: in an open one that is as long it means that its closing fence
    was forgotten, in a longer one that the inner block belongs to its text.
    """
    found: list[CodeBlock] = []
    lines = text.split("\n")
    opened: re.Match[str] | None = None
    start = 0
    for number, line in enumerate(lines):
        fence = FENCE.match(line)
        if fence is None or (opened is not None and not _ends(fence, opened)):
            continue
        if opened is not None:
            found += _block(opened, lines[start:number], complete=not fence["tag"])
        opened = fence if opened is None or fence["tag"] else None
        start = number + 1
    return found if opened is None else found + _block(opened, lines[start:], complete=False)


def _ends(fence: re.Match[str], opened: re.Match[str]) -> bool:
    return fence["mark"].startswith(opened["mark"])


def _block(opened: re.Match[str], lines: Sequence[str], complete: bool) -> list[CodeBlock]:
    """The block, or what is fenced inside it when it is prose itself (`markdown`, a longer fence)."""
    indent = opened["indent"]
    block = CodeBlock(opened["tag"].lower(), "\n".join(line.removeprefix(indent) for line in lines), complete)
    inner = [] if block.is_lean else blocks(block.text)
    return inner or [block]


def between_prose(text: str) -> tuple[str, str]:
    """(a whole file or a tactic block between prose, where it stood); empty when there is none."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if _DECLARES.match(line):
            return _code_run(lines[number:]), "from the first declaration, no fence"
    runs = [run for run in _paragraphs(lines) if _is_tactics(run)]
    if runs:
        return "\n".join(runs[-1]), "last tactic block, no fence"
    return "", "no Lean found"


def _code_run(lines: Sequence[str]) -> str:
    """`lines` up to the first paragraph that begins at the margin and reads as prose."""
    kept: list[str] = []
    for number, line in enumerate(lines):
        fresh = number > 0 and not lines[number - 1].strip() and line[:1] not in ("", " ", "\t")
        if fresh and is_prose(line):
            break
        kept.append(line)
    return "\n".join(kept).rstrip()


def is_prose(line: str) -> bool:
    """Whether a line reads as a sentence: it begins with a capital and three words of letters."""
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
    if inside and line[:1] in (" ", "\t") and not is_prose(line.strip()):
        return True
    return _is_tactics([line]) and not is_prose(line.strip())


def _is_tactics(lines: Sequence[str]) -> bool:
    text = "\n".join(lines).strip()
    # Prose often begins with a word that is a tactic too ("Use the lemma."); Lean rarely ends in a full stop.
    return (
        bool(text)
        and not text.endswith((".", ":", "!", "?"))
        and (text.startswith("by ") or is_tactic_block(lex(text)))
    )
