"""From places in what Lean was given of an answer back to places in the answer. Pure.

An answer is taken apart, laid out anew and put under our own statement, but its tokens stay what they are and
in their order. So both texts are read as tokens, and what they share from their ends (the proof), from their
beginnings (helpers) and then in between is the same place.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from harness.lean.text.assemble import assemble
from harness.lean.text.comments import without_comments
from harness.lean.text.lexer import Token, lex, significant
from harness.types import Fault, Problem

_MOST_BETWEEN = 1500
"""Tokens between the shared ends that are compared: it takes the square of that."""


def placed(problem: Problem, answer: str, faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """`faults` with their spans in `answer`, which a verdict was given on; none where the answer has no such
    place, as for our own statement over a bare proof."""
    if all(fault.span is None for fault in faults):
        return tuple(faults)
    given = significant(lex(assemble(problem, answer).written))
    own = significant(lex(without_comments(answer)))
    same = _same(given, own)
    return tuple(replace(fault, span=fault.span and _span(fault.span, given, own, same)) for fault in faults)


def _same(given: Sequence[Token], own: Sequence[Token]) -> dict[int, int]:
    """Indices of tokens of `given` to those of `own` that they are."""
    one, two = [token.text for token in given], [token.text for token in own]
    shorter = min(len(one), len(two))
    tail = next((n for n in range(shorter) if one[-1 - n] != two[-1 - n]), shorter)
    rest = shorter - tail
    head = next((n for n in range(rest) if one[n] != two[n]), rest)
    found = {n: n for n in range(head)} | {len(one) - n: len(two) - n for n in range(1, tail + 1)}
    between = one[head : len(one) - tail], two[head : len(two) - tail]
    if len(between[0]) + len(between[1]) <= _MOST_BETWEEN:
        for left, right, size in SequenceMatcher(None, *between, autojunk=False).get_matching_blocks():
            found |= {head + left + n: head + right + n for n in range(size)}
    return found


def _span(
    span: tuple[int, int], given: Sequence[Token], own: Sequence[Token], same: dict[int, int]
) -> tuple[int, int] | None:
    """Where `own` has the tokens from the one at or after the span's start to the one before its end."""
    first = bisect_right([token.end for token in given], span[0])
    last = bisect_left([token.start for token in given], span[1]) - 1
    if first >= len(given):
        # About the end of the text, such as a bracket that was never closed.
        return (own[-1].end, own[-1].end) if own else None
    begin = same.get(first)
    if begin is None:
        return None
    start = own[begin].start + max(span[0] - given[first].start, 0)
    end = same.get(last)
    if last < first or end is None:
        return start, own[begin].end
    return start, max(start, own[end].end - max(given[last].end - span[1], 0))
