"""Proofs made by changing gold proofs a little: some still prove their theorem, most do not.

What the embedded core and real Lean make of them has to agree; the changes are the slips of a person or
of a model: another name, a lemma's neighbour, a step left out, doubled or moved, a bracket or number off.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from harness.protocols import Candidate
from harness.types import Problem

_TOKEN = re.compile(r"[A-Za-z_][\w.'!?]*|\d+|\s+|.")
_HYPOTHESIS = re.compile(r"h\d*|ih|[a-z]\d*")

_PAIRS = """
left right|Or.inl Or.inr|inl inr|.1 .2|.mp .mpr|exact apply|apply exact|exact refine|rfl trivial|simp simp_all
constructor left|constructor trivial|assumption rfl|assumption contradiction|contradiction assumption
cases rcases|rcases cases|obtain have|exfalso constructor|intro intros|intro rintro|refine exact|rw simp
simp rw|rfl simp|omega simp|assumption trivial|assumption simp_all|left exfalso|apply refine|rw rewrite
simp decide|subst cases|rfl decide|constructor and_intros|exists refine|refine constructor|induction cases
trivial assumption|have obtain|exact show|intro exact|contradiction simp_all|right exfalso|constructor rfl
"""
SWAPS = [tuple(pair.split()) for pair in _PAIRS.replace("\n", "|").split("|") if pair]

_LEMMAS_TEXT = """
Nat.add_comm Nat.add_assoc Nat.add_left_comm Nat.add_right_comm Nat.mul_comm Nat.mul_assoc Nat.add_zero
Nat.zero_add Nat.succ_add Nat.add_succ Nat.mul_one Nat.one_mul Nat.mul_zero Nat.zero_mul Nat.left_distrib
Nat.right_distrib Nat.le_trans Nat.le_refl Nat.lt_irrefl Nat.le_of_lt Nat.succ_le_succ Nat.zero_le
Nat.sub_self Nat.add_sub_cancel Nat.le_antisymm Nat.lt_of_lt_of_le Nat.add_le_add_left
List.append_nil List.nil_append
List.append_assoc List.cons_append List.length_append List.length_cons List.map_append List.map_map
List.reverse_append List.reverse_reverse List.mem_append List.mem_cons and_comm or_comm and_assoc or_assoc
not_not not_or not_and and_imp or_imp Iff.rfl Iff.trans Iff.symm Eq.symm Eq.trans congrArg absurd False.elim
Classical.em Classical.byContradiction And.left And.right And.intro Or.inl Or.inr Or.elim rfl id trivial
"""
LEMMAS = _LEMMAS_TEXT.split()


def mutants(problems: Sequence[Problem], count: int, seed: int) -> list[Candidate]:
    """`count` different candidates from the gold proofs, one to three changes each."""
    rng = random.Random(seed)
    groups: dict[str, list[Problem]] = {}
    for problem in problems:
        groups.setdefault(_kind(problem.gold or ""), []).append(problem)
    kinds = sorted(groups)
    made: dict[tuple[str, str], Candidate] = {}
    while len(made) < count:
        problem = rng.choice(groups[rng.choice(kinds)])
        proof = problem.gold or ""
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            proof = changed(rng, proof, problem.statement)
        if proof.strip() and proof != problem.gold:
            made.setdefault((problem.id, proof), Candidate(problem, proof))
    return list(made.values())


def _kind(proof: str) -> str:
    """The rarest tactic of a proof: problems are drawn evenly over these, not by how many there are."""
    for word in (
        "induction",
        "by_cases",
        "decide",
        "exact",
        "simp",
        "refine",
        "rw",
        "exfalso",
        "rcases",
        "have",
    ):
        if word in proof:
            return word
    return "other"


def changed(rng: random.Random, proof: str, statement: str) -> str:
    """One change; the same text when the one drawn does not fit."""
    change = rng.choice(
        (_swapped, _swapped, _renamed, _renamed, _lemma, _step, _step, _token, _bracket, _number)
    )
    return change(rng, proof, statement)


def _swapped(rng: random.Random, proof: str, _: str) -> str:
    fitting = [(old, new) for old, new in SWAPS if old in proof]
    if not fitting:
        return proof
    old, new = rng.choice(fitting)
    places = [match.start() for match in re.finditer(re.escape(old), proof)]
    at = rng.choice(places)
    return proof[:at] + new + proof[at + len(old) :]


def _renamed(rng: random.Random, proof: str, statement: str) -> str:
    """One name in the place of another that occurs in proof or statement."""
    names = sorted({name for name in _TOKEN.findall(proof + statement) if _HYPOTHESIS.fullmatch(name)})
    return _one_token(rng, proof, lambda token: bool(_HYPOTHESIS.fullmatch(token)), names)


def _lemma(rng: random.Random, proof: str, _: str) -> str:
    return _one_token(rng, proof, lambda token: "." in token[1:] or token in LEMMAS, LEMMAS)


def _number(rng: random.Random, proof: str, _: str) -> str:
    return _one_token(rng, proof, str.isdigit, ["0", "1", "2", "3", "7"])


def _one_token(rng: random.Random, proof: str, fits, choices: Sequence[str]) -> str:  # type: ignore[no-untyped-def]
    tokens = _TOKEN.findall(proof)
    places = [at for at, token in enumerate(tokens) if fits(token)]
    if not places or not choices:
        return proof
    tokens[rng.choice(places)] = rng.choice(choices)
    return "".join(tokens)


def _step(rng: random.Random, proof: str, _: str) -> str:
    """A line left out, doubled, moved to its neighbour's place, or with other indentation."""
    lines = proof.split("\n")
    at = rng.randrange(len(lines))
    change = rng.choice(("drop", "double", "move", "shift", "try", "focus"))
    if change == "drop":
        del lines[at]
    elif change == "double":
        lines.insert(at, lines[at])
    elif change == "move" and at + 1 < len(lines):
        lines[at], lines[at + 1] = lines[at + 1], lines[at]
    elif change == "shift":
        lines[at] = "  " + lines[at] if rng.random() < 0.5 else lines[at].removeprefix("  ")
    else:
        bare = lines[at].lstrip()
        lead = lines[at][: len(lines[at]) - len(bare)]
        lines[at] = f"{lead}{'try ' if change == 'try' else '· '}{bare}"
    return "\n".join(lines)


def _token(rng: random.Random, proof: str, _: str) -> str:
    """A token left out, doubled or exchanged with the next one."""
    tokens = _TOKEN.findall(proof)
    places = [at for at, token in enumerate(tokens) if token.strip()]
    if not places:
        return proof
    at = rng.choice(places)
    change = rng.randrange(3)
    if change == 0:
        del tokens[at]
    elif change == 1:
        tokens.insert(at, tokens[at])
    else:
        other = rng.choice(places)
        tokens[at], tokens[other] = tokens[other], tokens[at]
    return "".join(tokens)


def _bracket(rng: random.Random, proof: str, _: str) -> str:
    """One kind of bracket for another, or a term in brackets with an empty argument."""
    old, new = rng.choice(
        (("⟨", "("), ("⟩", ")"), ("[", "⟨"), ("]", "⟩"), ("⟨", "⟨_, "), ("(", "⟨"), (" at ", " "))
    )
    places = [match.start() for match in re.finditer(re.escape(old), proof)]
    if not places:
        return proof
    at = rng.choice(places)
    return proof[:at] + new + proof[at + len(old) :]
