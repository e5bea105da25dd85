"""Contamination: how much of a benchmark a training source has already seen.

Two measures over the same tokens. *Same statement*: the statement without its docstring, with its name, bound
names and white space normalised, occurs in the training source. *n-gram overlap*: share of the statement's
token n-grams (13 by default, as in the decontamination of published provers) that occur in the source.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.lean.text.lexer import TokenKind, lex, significant
from harness.types import Problem

NGRAM = 13


@dataclass(frozen=True, slots=True)
class Hit:
    """One benchmark problem that the training source has seen, in part or whole."""

    id: str
    split: str
    same_statement: bool
    share: float
    """Share of the problem's n-grams found in the source, in [0, 1]."""
    seen_in: tuple[str, ...]
    """Up to five ids of the training source."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """What `overlap` found."""

    benchmark: str
    source: str
    n: int
    """Tokens per n-gram."""
    problems: int
    """Benchmark problems looked at."""
    trained: int
    """Problems of the training source."""
    same_statement: int
    any_ngram: int
    """Problems with at least one n-gram in the source."""
    too_short: int
    """Problems with fewer than n tokens: for these the one n-gram is the whole statement."""
    hits: tuple[Hit, ...]
    """Worst first: same statements, then by share."""


def overlap(benchmark: Sequence[Problem], training: Sequence[Problem], n: int = NGRAM) -> Overlap:
    """Overlap of the statements of `benchmark` with those of `training`."""
    by_statement: dict[tuple[str, ...], list[str]] = {}
    by_gram: dict[tuple[str, ...], list[str]] = {}
    for problem in training:
        words = normal_tokens(problem)
        by_statement.setdefault(words, []).append(problem.id)
        for gram in set(grams(words, n)):
            by_gram.setdefault(gram, []).append(problem.id)
    hits, short = [], 0
    for problem in benchmark:
        words = normal_tokens(problem)
        short += len(words) < n
        found = list(grams(words, n))
        seen = [gram for gram in found if gram in by_gram]
        same = by_statement.get(words, [])
        if same or seen:
            where = dict.fromkeys([*same, *(name for gram in seen for name in by_gram[gram][:5])])
            share = len(seen) / len(found)
            hits.append(Hit(problem.id, problem.split, bool(same), share, tuple(where)[:5]))
    hits.sort(key=lambda hit: (not hit.same_statement, -hit.share, hit.id))
    return Overlap(
        benchmark=benchmark[0].benchmark if benchmark else "",
        source=training[0].benchmark if training else "",
        n=n,
        problems=len(benchmark),
        trained=len(training),
        same_statement=sum(hit.same_statement for hit in hits),
        any_ngram=sum(hit.share > 0 for hit in hits),
        too_short=short,
        hits=tuple(hits),
    )


def normal_tokens(problem: Problem) -> tuple[str, ...]:
    """Tokens of the statement after its name; names bound in it are numbered by first appearance.

    A bound name is an identifier that stands before a `:` or `,` of a binder; numbering them makes statements
    that differ in the names of variables and hypotheses equal. Comments and docstrings do not count.
    """
    code = [token for token in significant(lex(problem.statement)) if token.kind is not TokenKind.DOC_COMMENT]
    start = next((i + 2 for i, token in enumerate(code) if token.text in ("theorem", "lemma", "def")), 0)
    code = code[start:]
    bound = _bound([token.text for token in code], [token.kind is TokenKind.IDENT for token in code])
    numbers: dict[str, str] = {}
    words = []
    for token in code:
        first, dot, rest = token.text.partition(".")
        if token.kind is TokenKind.IDENT and first in bound:
            words.append(numbers.setdefault(first, f"#{len(numbers)}") + dot + rest)
        else:
            words.append(token.text)
    return tuple(words)


def _bound(texts: Sequence[str], names: Sequence[bool]) -> set[str]:
    """Identifiers in binder position: between a bracket or binder symbol and `:`, `,` or `=>`."""
    openers = ("(", "{", "[", "⦃", "∀", "∃", "∃!", "fun", "λ", "∑", "∏")
    closers = (":", ",", "=>", "↦", "∈", "in")
    found: set[str] = set()
    for place, text in enumerate(texts):
        if text not in openers:
            continue
        run = []
        at = place + 1
        while at < len(texts) and (names[at] or texts[at] == "_"):
            run.append(texts[at])
            at += 1
        if run and at < len(texts) and texts[at] in closers:
            found.update(name for name in run if "." not in name)
    return found - {"_"}


def grams(words: Sequence[str], n: int) -> Iterable[tuple[str, ...]]:
    """Every run of `n` tokens, or all the tokens when there are fewer. At least one."""
    return (tuple(words[i : i + n]) for i in range(max(1, len(words) - n + 1)))
