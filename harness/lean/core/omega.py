"""`omega`: linear arithmetic over Nat, as a proof term that the kernel checks.

Facts are read from the hypotheses and from the negated goal: `= ≠ < ≤ > ≥` on Nat under `¬ ∧ ∨ → ↔`, with
`+`, `succ`, multiplication by numerals, and truncated `-`; every other term is a variable. Disjunctions, `≠`
and `-` are split on when the rest gives no contradiction. Whether a proposition holds is decided by lemmas,
not by the axiom of choice.

Not read: `/`, `%`, `∣`, other number types.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.lean.core.linear import Constraint, Fact, constraint, refute
from harness.lean.core.metacontext import LeanError
from harness.lean.core.omega_terms import Certificate, Inequality, Normaliser, add, eq, lemma
from harness.lean.core.term import (
    Const,
    Expr,
    FVar,
    Lam,
    Lit,
    MVar,
    Pi,
    bind_lam,
    head_args,
    instantiate,
    mk_app,
)

if TYPE_CHECKING:
    from harness.lean.core.elab import Elab

MAX_SPLITS = 200
"""Cases looked at before giving up."""

FALSE = Const("False")
_POSSIBLE = "a possible counterexample may satisfy the constraints"
_NO_FACTS = (
    "omega could not prove the goal:\nNo usable constraints found. You may need to unfold definitions so "
    "`omega` can see linear arithmetic facts about `Nat` and `Int`, which may also involve multiplication, "
    "division, and modular remainder by constants."
)


def negate(p: Expr) -> Expr:
    """`¬ p`."""
    return mk_app(Const("Not"), p)


def connective(e: Expr) -> tuple[str, list[Expr]]:
    """The head of a proposition with its arguments; `→` for an implication, "" for anything else."""
    if isinstance(e, Pi):
        return ("→", [e.type, e.body]) if not e.body.lb else ("", [])
    head, args = head_args(e)
    if not isinstance(head, Const):
        return "", []
    name = head.name
    if name in ("Eq", "Ne", "GT.gt", "GE.ge", "LT.lt", "LE.le"):
        if len(args) > 2 and args[0] != Const("Nat"):
            return "", []
        return name, args[-2:]
    return name, args


class Omega:
    """One call of the tactic: the facts known, the variables met, the splits made."""

    def __init__(self, tick: Callable[[], None]) -> None:
        self.normaliser = Normaliser()
        self.splits = 0
        self.tick = tick

    # --- deciding ------------------------------------------------------------------------------

    def decided(self, p: Expr) -> Expr | None:
        """The proof of `p ∨ ¬ p`, or None when p is not of the fragment."""
        self.tick()
        name, args = connective(p)
        match name, args:
            case (("Nat.le" | "LE.le"), [a, b]):
                return lemma("em_le", a, b)
            case (("Nat.lt" | "LT.lt"), [a, b]):
                return lemma("em_le", add(a, Lit(1)), b)
            case "GT.gt", [a, b]:
                return lemma("em_le", add(b, Lit(1)), a)
            case "GE.ge", [a, b]:
                return lemma("em_le", b, a)
            case "Eq", [a, b]:
                return lemma("em_eq", a, b)
            case "Ne", [a, b]:
                return lemma("em_not", eq(a, b), lemma("em_eq", a, b))
            case "True", []:
                return lemma("em_true")
            case "False", []:
                return lemma("em_false")
            case "Not", [q]:
                inner = self.decided(q)
                return None if inner is None else lemma("em_not", q, inner)
            case (("And" | "Or" | "Iff" | "→"), [q, r]):
                first, second = self.decided(q), self.decided(r)
                if first is None or second is None:
                    return None
                word = {"And": "em_and", "Or": "em_or", "Iff": "em_iff", "→": "em_imp"}[name]
                return lemma(word, q, r, first, second)
        return None

    # --- refuting ------------------------------------------------------------------------------

    def refute(self, facts: list[tuple[Expr, Expr]]) -> Expr | None:
        """The proof of `False` from (proposition, proof) pairs, or None."""
        branch = Facts(self)
        for p, proof in facts:
            branch.assume(p, proof)
        return branch.close()


class Facts:
    """The facts of one case."""

    def __init__(self, omega: Omega) -> None:
        self.omega = omega
        self.steps: list[Inequality] = []
        self.false: Expr | None = None
        self.disjunctions: list[tuple[Expr, Expr, Expr]] = []
        self.subtractions: dict[Expr, None] = {}
        self.split_off: set[Expr] = set()

    def copy(self) -> Facts:
        """The same facts, to go on with in a case."""
        other = Facts(self.omega)
        other.steps, other.false = list(self.steps), self.false
        other.disjunctions = list(self.disjunctions)
        other.subtractions, other.split_off = dict(self.subtractions), set(self.split_off)
        return other

    def at_most(self, a: Expr, b: Expr, proof: Expr) -> None:
        """Note `a ≤ b`."""
        for side in (a, b):
            self._find_subtractions(side)
        self.steps.append(Inequality(a, b, proof))

    def _find_subtractions(self, e: Expr) -> None:
        """Truncated differences met as variables, below sums and products only."""
        head, args = head_args(e)
        name = head.name if isinstance(head, Const) else ""
        if name == "Nat.sub" and len(args) == 2 and e not in self.split_off:
            self.subtractions[e] = None
        if name in ("Nat.add", "Nat.mul", "Nat.succ", "Nat.sub"):
            for arg in args:
                self._find_subtractions(arg)

    def assume(self, p: Expr, proof: Expr) -> None:
        """Note a proposition; what is not of the fragment is ignored."""
        self.omega.tick()
        name, args = connective(p)
        match name, args:
            case (("Nat.le" | "LE.le"), [a, b]):
                self.at_most(a, b, proof)
            case (("Nat.lt" | "LT.lt"), [a, b]):
                self.at_most(add(a, Lit(1)), b, proof)
            case "GT.gt", [a, b]:
                self.at_most(add(b, Lit(1)), a, proof)
            case "GE.ge", [a, b]:
                self.at_most(b, a, proof)
            case "Eq", [a, b]:
                self.at_most(a, b, lemma("le_of_eq", a, b, proof))
                self.at_most(b, a, lemma("ge_of_eq", a, b, proof))
            case "Ne", [a, b]:
                self._deny(eq(a, b), proof)
            case "And", [q, r]:
                self.assume(q, mk_app(Const("And.left"), q, r, proof))
                self.assume(r, mk_app(Const("And.right"), q, r, proof))
            case "Or", [q, r]:
                self.disjunctions.append((q, r, proof))
            case "Not", [q]:
                self._deny(q, proof)
            case "False", []:
                self.false = proof
            case "→", [q, r]:
                self._assume_conditional("imp", (q, r), proof, (negate(q), r))
            case "Iff", [q, r]:
                both, neither = _and(q, r), _and(negate(q), negate(r))
                self._assume_conditional("iff", (q, r), proof, (both, neither))

    def _assume_conditional(
        self, name: str, parts: tuple[Expr, Expr], proof: Expr, cases: tuple[Expr, Expr]
    ) -> None:
        """Note the disjunction that an implication or equivalence of decided `parts` amounts to."""
        known = self.omega.decided(parts[0])
        if known is not None and self.omega.decided(parts[1]) is not None:
            self.disjunctions.append((*cases, lemma(name, *parts, known, proof)))

    def _deny(self, p: Expr, proof: Expr) -> None:
        """Note `¬ p`."""
        name, args = connective(p)
        match name, args:
            case (("Nat.le" | "LE.le"), [a, b]):
                self.at_most(add(b, Lit(1)), a, lemma("not_le", a, b, proof))
            case (("Nat.lt" | "LT.lt"), [a, b]):
                self.at_most(b, a, lemma("not_lt", a, b, proof))
            case "GT.gt", [a, b]:
                self.at_most(a, b, lemma("not_lt", b, a, proof))
            case "GE.ge", [a, b]:
                self.at_most(add(a, Lit(1)), b, lemma("not_le", b, a, proof))
            case "Eq", [a, b]:
                less, more = mk_app(Const("Nat.lt"), a, b), mk_app(Const("Nat.lt"), b, a)
                self.disjunctions.append((less, more, lemma("not_eq", a, b, proof)))
            case "Ne", [a, b]:
                same = eq(a, b)
                self.assume(same, lemma("not_not", same, lemma("em_eq", a, b), proof))
            case "Not", [q]:
                known = self.omega.decided(q)
                if known is not None:
                    self.assume(q, lemma("not_not", q, known, proof))
            case "True", []:
                self.false = mk_app(proof, Const("True.intro"))
            case (("And" | "Or" | "→" | "Iff"), [q, r]):
                self._deny_compound(name, q, r, proof)

    def _deny_compound(self, name: str, q: Expr, r: Expr, proof: Expr) -> None:
        not_q, not_r = negate(q), negate(r)
        if name == "Or":
            self.assume(_and(not_q, not_r), lemma("not_or", q, r, proof))
            return
        known_q, known_r = self.omega.decided(q), self.omega.decided(r)
        if known_q is None or known_r is None:
            return
        if name == "And":
            self.disjunctions.append((not_q, not_r, lemma("not_and", q, r, known_q, proof)))
        elif name == "→":
            self.assume(_and(q, not_r), lemma("not_imp", q, r, known_q, proof))
        else:
            cases = lemma("not_iff", q, r, known_q, known_r, proof)
            self.disjunctions.append((_and(q, not_r), _and(not_q, r), cases))

    # --- closing -------------------------------------------------------------------------------

    def close(self) -> Expr | None:
        """The proof of `False`, with as many case distinctions as it takes, or None."""
        if self.false is not None:
            return self.false
        direct = self._linear()
        if direct is not None:
            return direct
        for k, (q, r, proof) in enumerate(self.disjunctions):
            rest = self.copy()
            del rest.disjunctions[k]
            return rest.cases(q, r, proof)
        for e in self.subtractions:
            rest = self.copy()
            del rest.subtractions[e]
            rest.split_off.add(e)
            return rest.split_subtraction(e)
        return None

    def split_subtraction(self, e: Expr) -> Expr | None:
        """Cases on `a ≤ b` or `b ≤ a` for the difference `a - b`."""
        a, b = head_args(e)[1]
        below = _and(mk_app(Const("Nat.le"), a, b), eq(e, Lit(0)))
        above = _and(mk_app(Const("Nat.le"), b, a), eq(add(e, b), a))
        return self.cases(below, above, lemma("sub_cases", a, b))

    def cases(self, q: Expr, r: Expr, proof: Expr) -> Expr | None:
        """The proof of `False` from a disjunction."""
        self.omega.splits += 1
        if self.omega.splits > MAX_SPLITS:
            return None
        halves: list[Expr] = []
        for p in (q, r):
            assumption = FVar("h", p)
            branch = self.copy()
            branch.assume(p, assumption)
            false = branch.close()
            if false is None:
                return None
            halves.append(bind_lam([assumption], false))
        return mk_app(Const("Or.elim"), q, r, FALSE, proof, *halves)

    def _linear(self) -> Expr | None:
        constraints: list[Constraint] = []
        normal = self.omega.normaliser.normal
        for k, step in enumerate(self.steps):
            left, right = normal(step.left).form, normal(step.right).form
            terms = [*left.terms, *[(v, -c) for v, c in right.terms]]
            constraints.append(constraint(terms, left.constant - right.constant, Fact(k)))
        found = refute(constraints, self.omega.tick)
        return None if found is None else Certificate(self.omega.normaliser, self.steps).false(found)


def _and(p: Expr, q: Expr) -> Expr:
    return mk_app(Const("And"), p, q)


def prove(elab: Elab, goal: MVar) -> Expr:
    """The proof of a goal by linear arithmetic.

    Raises `LeanError` in Lean's wording when there is none, `Heartbeats` when the step budget is spent.
    """
    omega = Omega(elab.tick)
    target = elab.inst(goal.type)
    introduced: list[FVar] = []
    while isinstance(target, Pi) and (target.body.lb or omega.decided(target) is None):
        v = FVar(target.name or "h", target.type)
        introduced.append(v)
        target = instantiate(target.body, v)
    facts = [(elab.inst(v.type), v) for v in (*goal.lctx, *introduced)]
    known = omega.decided(target)
    proof: Expr | None
    if known is not None and target != FALSE:
        denied = FVar("h", negate(target))
        false = omega.refute([*facts, (denied.type, denied)])
        proof = None if false is None else lemma("by_contra", target, known, bind_lam([denied], false))
    else:
        false = omega.refute(list(facts))
        proof = false
        if false is not None and target != FALSE:
            proof = mk_app(Const("False.elim", (elab.sort_of(target),)), target, false)
    if proof is None:
        raise LeanError(_failure(elab, omega))
    return elab.bind(introduced, proof, Lam)


def _failure(elab: Elab, omega: Omega) -> str:
    variables = omega.normaliser.variables
    if not variables:
        return _NO_FACTS
    letters = [chr(97 + k % 26) for k in range(len(variables))]
    bounds = "".join(f"\n  {x} ≥ 0" for x in letters)
    where = "".join(f"\n {x} := {elab.show(v)}" for x, v in zip(letters, variables, strict=True))
    return f"omega could not prove the goal:\n{_POSSIBLE}{bounds}\nwhere{where}"
