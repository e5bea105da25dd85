# ruff: noqa: C419  (lists: recursion through a generator would use up the C stack)
"""What commands see: checked constants, open scopes, the simp set. Immutable: a change gives a new value."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from harness.lean.core.kernel import Checker as KernelChecker
from harness.lean.core.kernel import Constant, KernelEnv, KernelError
from harness.lean.core.syntax import Binder
from harness.lean.core.term import Expr, TermTooLarge, const_names


@dataclass(frozen=True, slots=True)
class Scope:
    """One `namespace` or `section`; `opens` and `variables` end with it."""

    kind: str
    name: str
    namespace: str
    opens: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    """Short name -> full name, from `open A (x y)`."""
    variables: tuple[Binder, ...] = ()
    included: tuple[str, ...] = ()
    universes: tuple[str, ...] = ()
    options: tuple[tuple[str, object], ...] = ()


ROOT = Scope("root", "", "", aliases=(("true", "Bool.true"), ("false", "Bool.false")))
"""The outermost scope; Lean's library exports the two values of `Bool`."""


@dataclass(frozen=True)
class Environment:
    """Constants and scopes. `kernel` holds what the kernel accepted; nothing enters it any other way."""

    kernel: KernelEnv = field(default_factory=KernelEnv)
    scopes: tuple[Scope, ...] = (ROOT,)
    simp_lemmas: tuple[str, ...] = ()
    base_simp: object = None
    """The indexed simp set of the library; `simp_lemmas` are those declared after it."""
    modules: tuple[str, ...] = ()
    protected: frozenset[str] = frozenset()

    @property
    def scope(self) -> Scope:
        """The innermost scope."""
        return self.scopes[-1]

    def with_scope(self, scope: Scope) -> Environment:
        """The same with its innermost scope replaced."""
        return replace(self, scopes=(*self.scopes[:-1], scope))

    def contains(self, name: str) -> bool:
        """Whether a constant of this name is declared."""
        return self.kernel.get(name) is not None

    def get(self, name: str) -> Constant | None:
        """The constant, or None."""
        return self.kernel.get(name)

    def axioms(self, name: str) -> tuple[str, ...]:
        """The axioms `name` rests on, sorted; empty for an unknown name."""
        return axioms_of(self.kernel, (name,))

    def type_text(self, name: str) -> str:
        """The type of a constant as Lean prints it; KeyError when unknown."""
        from harness.lean.core.printer import print_closed

        c = self.kernel.get(name)
        if c is None:
            raise KeyError(name)
        return print_closed(self, c.type)

    def has_type(self, name: str, target: Constant) -> bool:
        """Whether the kernel finds `name` of the same type (and universe parameters) as `target`.

        `target` is of this environment or one with the same constants. Out of steps, stack or room means no.
        """
        c = self.kernel.get(name)
        return c is not None and c.params == target.params and _same_types(self.kernel, c, target)

    def same_type(self, a: str, b: str) -> bool:
        """`has_type` for two constants of this environment."""
        target = self.kernel.get(b)
        return target is not None and self.has_type(a, target)

    @property
    def with_mathlib(self) -> bool:
        """Whether Mathlib is imported: its tactics are known then, and `Nat` prints as `ℕ`."""
        return any([m.startswith("Mathlib") for m in self.modules])

    def option(self, name: str) -> object:
        """The value that `set_option` gave, innermost first, or None."""
        for scope in reversed(self.scopes):
            for key, value in reversed(scope.options):
                if key == name:
                    return value
        return None


def _same_types(kernel: KernelEnv, a: Constant, b: Constant) -> bool:
    try:
        return KernelChecker(kernel, params=a.params).equal(a.type, b.type)
    except (KernelError, RecursionError, TermTooLarge):
        return False


def axioms_of(kernel: KernelEnv, names: tuple[str, ...]) -> tuple[str, ...]:
    """Axioms reached from the constants, sorted."""
    seen: dict[str, None] = {}
    out: set[str] = set()
    stack = list(names)
    while stack:
        name = stack.pop()
        if name in seen:
            continue
        seen[name] = None
        c = kernel.get(name)
        if c is None:
            continue
        known = _axiom_cache.get(id(c))
        if known is not None and known[0] is c:
            out.update(known[1])
            continue
        if c.kind == "axiom":
            out.add(name)
        stack += const_names(c.type, {})
        if c.value is not None:
            stack += const_names(c.value, {})
        stack += c.ctors
    return tuple(sorted(out))


_axiom_cache: dict[int, tuple[Constant, tuple[str, ...]]] = {}


def remember_axioms(kernel: KernelEnv) -> None:
    """Work out the axioms of the library once, so that asking about a small theorem stays cheap."""
    for name, c in kernel.base.items():
        _axiom_cache[id(c)] = (c, axioms_of(kernel, (name,)))


def axioms_of_terms(kernel: KernelEnv, *terms: Expr) -> tuple[str, ...]:
    """Axioms that terms rest on, sorted."""
    names: dict[str, None] = {}
    for t in terms:
        const_names(t, names)
    return axioms_of(kernel, tuple(names))
