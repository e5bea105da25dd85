"""Formulas of the generated theorems: building, printing as Lean prints them, canonical forms, truth tables.

A formula is a plain nested tuple, so that it hashes fast and can be a key:

    ("atom", i)            a propositional variable
    ("pred", i, terms)     a predicate applied to terms
    ("not", A) ("and", A, B) ("or", A, B) ("imp", A, B) ("iff", A, B) ("false",)
    ("all", A) ("ex", A)   binders; A uses de Bruijn indices

A term is ("var", i) for a free variable and ("bound", k) for the k-th binder outwards.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Formula = tuple[Any, ...]
Term = tuple[str, int]
FALSE: Formula = ("false",)
BINARY = {"and": ("∧", 35), "or": ("∨", 30), "imp": ("→", 25), "iff": ("↔", 20)}
ATOMS = ("P", "Q", "R", "S", "T")
BINDERS = ("x", "y", "z", "w", "u", "v")


def map_terms(formula: Formula, change: Callable[[Term, int], Term], depth: int = 0) -> Formula:
    """`formula` with every term replaced by `change(term, binders above it)`."""
    kind = formula[0]
    if kind == "pred":
        return (kind, formula[1], tuple(change(term, depth) for term in formula[2]))
    if kind in ("atom", "false"):
        return formula
    deeper = depth + (kind in ("all", "ex"))
    return (kind, *(map_terms(part, change, deeper) for part in formula[1:]))


def instantiate(body: Formula, term: Term) -> Formula:
    """The body of a binder with `term` (a free variable) put for the bound one."""

    def change(old: Term, depth: int) -> Term:
        return term if old == ("bound", depth) else old

    return map_terms(body, change)


def leaves(formula: Formula) -> Iterator[Formula]:
    """Atoms and predicates, left to right."""
    if formula[0] in ("atom", "pred"):
        yield formula
    elif formula[0] != "false":
        for part in formula[1:]:
            yield from leaves(part)


def size(formula: Formula) -> int:
    """Connectives and leaves."""
    if formula[0] in ("atom", "pred", "false"):
        return 1
    return 1 + sum(size(part) for part in formula[1:])


def show(formula: Formula, variables: Sequence[str] = (), bound: tuple[str, ...] = (), outer: int = 0) -> str:
    """Lean source with the parentheses Lean itself would print. `variables` name the free variables."""
    kind = formula[0]
    if kind == "atom":
        return ATOMS[formula[1]]
    if kind == "false":
        return "False"
    if kind == "pred":
        words = [ATOMS[formula[1]]]
        words += [variables[i] if sort == "var" else bound[-1 - i] for sort, i in formula[2]]
        return " ".join(words) if outer < 1000 else f"({' '.join(words)})"
    if kind == "not":
        return f"¬{show(formula[1], variables, bound, 40)}"
    if kind in ("all", "ex"):
        name = next(item for item in BINDERS if item not in bound and item not in variables)
        body = show(formula[1], variables, (*bound, name))
        text = f"{'∀' if kind == 'all' else '∃'} {name}, {body}"
        return f"({text})" if outer else text
    symbol, level = BINARY[kind]
    left, right = (level + 1, level) if kind != "iff" else (level + 1, level + 1)
    first = show(formula[1], variables, bound, left)
    text = f"{first} {symbol} {show(formula[2], variables, bound, right)}"
    return f"({text})" if outer > level else text


def curried(hypotheses: Sequence[Formula], goal: Formula) -> tuple[list[Formula], Formula]:
    """Antecedents of the goal moved to the hypotheses: `A ⊢ B → C` and `A, B ⊢ C` are one theorem here."""
    moved = list(hypotheses)
    while goal[0] == "imp":
        moved.append(goal[1])
        goal = goal[2]
    return moved, goal


def canonical(hypotheses: Sequence[Formula], goal: Formula) -> Formula:
    """A form equal for two theorems that differ by names and by the order of hypotheses only.

    Every order of the hypotheses is tried (at most 120 of them), names are renumbered by first appearance,
    and the least form is taken. Above five hypotheses the order as given is kept.
    """
    moved, last = curried(hypotheses, goal)
    orders = itertools.permutations(moved) if len(moved) <= 5 else iter([tuple(moved)])
    return min((renumbered((*order, last)) for order in orders), key=repr)


def renumbered(formulas: Sequence[Formula]) -> Formula:
    """`formulas` with atoms, predicates and free variables numbered by first appearance."""
    symbols: dict[int, int] = {}
    variables: dict[int, int] = {}

    def visit(formula: Formula) -> Formula:
        kind = formula[0]
        if kind == "atom":
            return (kind, symbols.setdefault(formula[1], len(symbols)))
        if kind == "pred":
            symbol = symbols.setdefault(formula[1], len(symbols))
            terms = ((s, variables.setdefault(i, len(variables)) if s == "var" else i) for s, i in formula[2])
            return (kind, symbol, tuple(terms))
        if kind == "false":
            return formula
        return (kind, *(visit(part) for part in formula[1:]))

    return tuple(visit(formula) for formula in formulas)


def truth(formula: Formula, values: Sequence[bool]) -> bool:
    """Classical truth of a propositional formula; `values[i]` is that of atom i."""
    kind = formula[0]
    if kind == "atom":
        return values[formula[1]]
    if kind == "false":
        return False
    if kind == "not":
        return not truth(formula[1], values)
    left, right = truth(formula[1], values), truth(formula[2], values)
    if kind == "and":
        return left and right
    if kind == "or":
        return left or right
    return (not left) or right if kind == "imp" else left == right


def entails(hypotheses: Sequence[Formula], goal: Formula, atoms: int) -> bool:
    """Whether every assignment to `atoms` atoms that makes all hypotheses true makes the goal true."""
    for values in itertools.product((False, True), repeat=atoms):
        if all(truth(item, values) for item in hypotheses) and not truth(goal, values):
            return False
    return True


def idle(formula: Formula) -> bool:
    """Whether some part says nothing: `A ∧ A`, `A → A`, or a binder whose variable is not used."""
    kind = formula[0]
    if kind in ("atom", "pred", "false"):
        return False
    if kind in BINARY and formula[1] == formula[2]:
        return True
    if kind in ("all", "ex") and not _uses(formula[1], 0):
        return True
    return any(map(idle, formula[1:]))


def _uses(formula: Formula, depth: int) -> bool:
    if formula[0] == "pred":
        return ("bound", depth) in formula[2]
    deeper = depth + (formula[0] in ("all", "ex"))
    return any(_uses(part, deeper) for part in formula[1:] if isinstance(part, tuple))


def has_model_proof(hypotheses: Sequence[Formula], goal: Formula) -> bool:
    """Whether the theorem holds in every structure of one or two elements (necessary for being provable)."""
    used = [leaf for formula in (*hypotheses, goal) for leaf in leaves(formula)]
    symbols = 1 + max(leaf[1] for leaf in used)
    points = 1 + max((i for leaf in used for sort, i in leaf[2] if sort == "var"), default=-1)
    for domain in (1, 2):
        tables = itertools.product((False, True), repeat=symbols * domain)
        for table, point in itertools.product(list(tables), itertools.product(range(domain), repeat=points)):
            model = (domain, table, point)
            if all(_holds(item, model, ()) for item in hypotheses) and not _holds(goal, model, ()):
                return False
    return True


Model = tuple[int, tuple[bool, ...], tuple[int, ...]]


def _holds(formula: Formula, model: Model, bound: tuple[int, ...]) -> bool:
    domain, table, point = model
    kind = formula[0]
    if kind == "pred":
        sort, number = formula[2][0]
        return table[formula[1] * domain + (point[number] if sort == "var" else bound[-1 - number])]
    if kind in ("all", "ex"):
        check = all if kind == "all" else any
        return check(_holds(formula[1], model, (*bound, item)) for item in range(domain))
    if kind == "false":
        return False
    left = _holds(formula[1], model, bound)
    if kind == "not":
        return not left
    right = _holds(formula[2], model, bound)
    if kind == "and":
        return left and right
    if kind == "or":
        return left or right
    return (not left) or right if kind == "imp" else left == right
