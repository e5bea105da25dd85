"""Which answers belong to which problem, and whether there are as many for each. Pure.

pass@k needs the same number of answers for every problem of the benchmark. A file that has fewer of some is
refused until it is said what that means: an answer that is missing was not a failure of its own accord.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from harness.answers.columns import StatedAnswer
from harness.errors import UserError
from harness.lean.text.commands import code_of, plain_name
from harness.lean.text.comments import without_comments
from harness.nested import digest, nearest
from harness.types import Problem

NAMED = 3
"""Problems named in one message."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a person says about a file of answers."""

    samples: int | None = None
    """Take the first this many of each problem; None: all, and of all problems as many."""
    missing_failed: bool = False
    """Count an answer that is missing as not proved."""
    skip_unknown: bool = False
    """Leave out answers to problems that the benchmark does not have."""
    model: str = ""
    """Only rows that name this model, where rows name models."""
    max_tokens: int | None = None
    """What one attempt was allowed."""


@dataclass(frozen=True, slots=True)
class Given:
    """The answers to judge."""

    answers: Mapping[tuple[str, int], StatedAnswer]
    """By problem id and sample number, 0-based."""
    samples: int
    """Of each problem."""
    filled: int
    """Answers that are missing and count as not proved."""
    model: str
    notes: tuple[str, ...]
    """What was left out and why, a line each."""

    @property
    def digest(self) -> str:
        """Of what is judged: texts, and the tokens that costs are counted by."""
        rows = [
            [*key, one.text, one.prompt_tokens, one.completion_tokens, one.truncated]
            for key, one in sorted(self.answers.items())
        ]
        return digest([self.samples, *rows])


def given(
    found: Iterable[StatedAnswer],
    problems: Sequence[Problem],
    elsewhere: Mapping[str, str],
    terms: Terms,
    path: object,
) -> Given:
    """The answers to `problems`, as many for each.

    `elsewhere`: other problems of the benchmark, each with why it is not asked for. Raises `UserError` with
    one line that says what to do.
    """
    notes: list[str] = []
    of_model, model = _of_model(list(found), terms, path, notes)
    by_problem = _by_problem(of_model, problems, elsewhere, terms, path, notes)
    numbered = {problem.id: _numbered(problem.id, by_problem.get(problem.id, [])) for problem in problems}
    samples, filled = _counted(numbered, terms, path)
    taken = {
        (name, index): answer
        for name, answers in numbered.items()
        for index, answer in enumerate(answers[:samples])
    }
    _check_tokens(taken.values(), terms)
    dropped = sum(map(len, numbered.values())) - len(taken)
    if dropped:
        notes.append(f"{dropped} answers beyond the first {samples} of their problem are left out")
    if filled:
        notes.append(f"{filled} answers are missing and count as not proved")
    return Given(taken, samples, filled, model, tuple(notes))


def _of_model(
    found: Sequence[StatedAnswer], terms: Terms, path: object, notes: list[str]
) -> tuple[list[StatedAnswer], str]:
    models = Counter(one.model for one in found if one.model)
    if not found:
        raise UserError(f"{path}: holds no answer")
    if terms.model and terms.model in models:
        kept = [one for one in found if one.model == terms.model]
        if len(kept) < len(found):
            notes.append(f"{len(found) - len(kept)} answers of other models are left out")
        return kept, terms.model
    if len(models) > 1 or (terms.model and models):
        told = ", ".join(f"{name} ({count})" for name, count in models.most_common(NAMED + 1))
        raise UserError(f"{path}: holds answers of {told}; say which with --model NAME")
    return list(found), terms.model or next(iter(models), "")


def _by_problem(
    found: Sequence[StatedAnswer],
    problems: Sequence[Problem],
    elsewhere: Mapping[str, str],
    terms: Terms,
    path: object,
    notes: list[str],
) -> dict[str, list[StatedAnswer]]:
    known = _names(problems)
    grouped: dict[str, list[StatedAnswer]] = defaultdict(list)
    other, unknown = Counter[str](), dict[str, StatedAnswer]()
    for one in found:
        name = _stated(one, known) if one.problem is None else one.problem
        problem = known.get(name) or known.get(name.casefold())
        if problem is not None:
            grouped[problem].append(replace(one, problem=problem))
        elif name in elsewhere:
            other[elsewhere[name]] += 1
        else:
            unknown.setdefault(name, one)
    notes += [f"{count} answers to problems {why} are left out" for why, count in sorted(other.items())]
    if unknown and terms.skip_unknown:
        notes.append(f"answers to {len(unknown)} unknown problems are left out: {_named(unknown)}")
    elif unknown:
        name, first = next(iter(unknown.items()))
        more = f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""
        raise UserError(
            f"{first.where}: no problem {name!r}{more} in the benchmark{_near(name, known)}; "
            "--skip-unknown leaves such answers out"
        )
    if not grouped:
        raise UserError(f"{path}: none of its answers is to a problem that is asked for")
    return grouped


def _names(problems: Sequence[Problem]) -> dict[str, str]:
    """Ids, and names that only one problem has: its theorem's, and either in small letters, each with its id.

    Lineages of one benchmark write some names in other letters.
    """
    by_name: dict[str, set[str]] = defaultdict(set)
    for one in problems:
        for name in (plain_name(one.theorem), one.id.casefold(), plain_name(one.theorem).casefold()):
            by_name[name].add(one.id)
    named = {name: next(iter(ids)) for name, ids in by_name.items() if len(ids) == 1}
    return {**named, **{problem.id: problem.id for problem in problems}}


def _stated(answer: StatedAnswer, known: Mapping[str, str]) -> str:
    """The benchmark's theorem that an answer declares, the last one of them; else what it declares."""
    code = code_of(without_comments(answer.text))
    declared = [plain_name(name.text) for word, name in pairwise(code) if word.text in ("theorem", "lemma")]
    ours = [name for name in declared if name in known or name.casefold() in known]
    if len(set(ours)) > 1:
        raise UserError(f"{answer.where}: states {_named(ours)}; name the problem in a column of its own")
    if not declared:
        raise UserError(f"{answer.where}: no column names the problem, and the answer states no theorem")
    return (ours or declared)[-1]


def _near(name: str, known: Mapping[str, str]) -> str:
    told = nearest(name, known)
    return told if "did you mean" in told else ""


def _numbered(name: str, found: Sequence[StatedAnswer]) -> list[StatedAnswer]:
    """The answers to one problem by their sample numbers, else as they stand in the file."""
    stated = [one.sample for one in found]
    repeated = next((number for number, count in Counter(stated).items() if count > 1), None)
    if repeated is not None:
        places = [one.where for one in found if one.sample == repeated][:2]
        raise UserError(f"{places[1]}: sample {repeated} of {name} stands there twice, first at {places[0]}")
    return sorted(found, key=lambda one: one.sample or 0)


def _counted(numbered: Mapping[str, Sequence[StatedAnswer]], terms: Terms, path: object) -> tuple[int, int]:
    """(answers of each problem, those missing). Raises `UserError` where some are and nobody said so."""
    samples = terms.samples or max(map(len, numbered.values()))
    short = {name: len(found) for name, found in numbered.items() if len(found) < samples}
    if short and not terms.missing_failed:
        least = min(short.values())
        fewer = f"--samples {least} takes the first {least} of each; " if least else ""
        told = ", ".join(f"{name} {count}" for name, count in sorted(short.items())[:NAMED])
        raise UserError(
            f"{path}: {len(short)} of {len(numbered)} problems have fewer than {samples} answers "
            f"({told}{', ...' if len(short) > NAMED else ''}), and pass@k needs as many of each; {fewer}"
            "--missing failed counts what is missing as not proved"
        )
    return samples, sum(samples - count for count in short.values())


def _check_tokens(taken: Iterable[StatedAnswer], terms: Terms) -> None:
    for one in taken:
        if terms.max_tokens is not None and one.completion_tokens > terms.max_tokens:
            raise UserError(
                f"{one.where}: {one.completion_tokens} tokens, --max-tokens says {terms.max_tokens}: "
                "what was one attempt allowed?"
            )


def _named(names: Iterable[str]) -> str:
    listed = sorted(set(names))
    return ", ".join(listed[:NAMED]) + (", ..." if len(listed) > NAMED else "")
