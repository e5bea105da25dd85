"""What the kernel keeps and is given: constants, environments, declarations. Plain data, no judgement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.lean.core.nodes import Expr, reserved


class KernelError(Exception):
    """A declaration the kernel refuses."""


class KernelTimeout(KernelError):
    """The step budget is spent."""


class KernelDepth(KernelError):
    """The term is nested too deeply."""


class KernelDeclined(KernelError):
    """Not judged: it needs something, named in the message, that this kernel does not do."""


@dataclass(frozen=True, slots=True)
class RecRule:
    """How the recursor acts on one constructor: `rhs` takes params, motive, minors, then the fields."""

    ctor: str
    nfields: int
    rhs: Expr


@dataclass(frozen=True, slots=True)
class Constant:
    """A checked constant. `kind`: axiom, def, theorem, opaque, inductive, ctor, rec or quot."""

    name: str
    kind: str
    params: tuple[str, ...]
    type: Expr
    value: Expr | None = None
    height: int = 0
    """Definitions: one more than the largest height below; conversion unfolds the taller side first."""
    reducible: bool = False
    induct: str = ""
    nparams: int = 0
    nindices: int = 0
    nfields: int = 0
    nmotives: int = 1
    nminors: int = 0
    ctors: tuple[str, ...] = ()
    rules: tuple[RecRule, ...] = ()
    k: bool = False
    """Recursor of a one-constructor, field-free family in `Prop` (such as Eq): acts without a constructor."""
    field_names: tuple[str, ...] = ()
    recursive: bool = False
    """Inductive: some field's type mentions the family or one declared with it."""


@dataclass(frozen=True, slots=True)
class KernelEnv:
    """Checked constants; adding returns a new environment and shares the old one."""

    base: dict[str, Constant] = field(default_factory=dict)
    """May be a dict that finds constants when it is asked for them: only `get` is used in judging."""
    own: dict[str, Constant] = field(default_factory=dict)
    fast: frozenset[str] = frozenset()
    """Nat operations whose equations have been checked."""

    def get(self, name: str) -> Constant | None:
        """The constant, or None."""
        return self.own.get(name) or self.base.get(name)

    def frozen(self) -> KernelEnv:
        """The same constants, cheap to branch from."""
        return KernelEnv({**self.base, **self.own}, {}, self.fast)

    def _with(self, constants: Sequence[Constant], fast: str = "") -> KernelEnv:
        own = dict(self.own)
        for c in constants:
            if reserved(c.name):
                raise KernelError("(kernel) reserved name")
            if self.get(c.name) is not None or (c.name in own and own[c.name] is not c):
                raise KernelError(f"(kernel) constant has already been declared '{c.name}'")
            own[c.name] = c
        return KernelEnv(self.base, own, self.fast | {fast} if fast else self.fast)


@dataclass(frozen=True, slots=True)
class InductiveDecl:
    """A family `name params : type` with constructors (full name, closed type)."""

    name: str
    params: tuple[str, ...]
    nparams: int
    type: Expr
    ctors: tuple[tuple[str, Expr], ...]
