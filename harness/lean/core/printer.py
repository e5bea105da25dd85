"""Terms and goals as Lean prints them: notation, least parentheses, grouped hypotheses, daggers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.lean.core.metacontext import LeanError
from harness.lean.core.term import (
    ONE,
    ZERO,
    App,
    Const,
    Expr,
    FVar,
    Lam,
    Let,
    Level,
    Lit,
    MVar,
    Pi,
    Sort,
    head,
    head_args,
    instantiate,
    same,
)
from harness.lean.core.unify import Meta, occurs, uses_index

if TYPE_CHECKING:
    from harness.lean.core.environment import Environment

MAX, LEAD, ARG = 1024, 1023, 1024
# constant -> (symbol, precedence, left, right, number of leading implicit arguments)
BINARY: dict[str, tuple[str, int, int, int, int]] = {
    "Iff": ("↔", 20, 21, 21, 0),
    "Or": ("∨", 30, 31, 30, 0),
    "And": ("∧", 35, 36, 35, 0),
    "Eq": ("=", 50, 51, 51, 1),
    "Ne": ("≠", 50, 51, 51, 1),
    "HEq": ("≍", 50, 51, 51, 2),
    "Nat.lt": ("<", 50, 51, 51, 0),
    "Nat.le": ("≤", 50, 51, 51, 0),
    "GT.gt": (">", 50, 51, 51, 0),
    "GE.ge": ("≥", 50, 51, 51, 0),
    "Nat.add": ("+", 65, 65, 66, 0),
    "Nat.sub": ("-", 65, 65, 66, 0),
    "Nat.mul": ("*", 70, 70, 71, 0),
    "Nat.pow": ("^", 75, 76, 75, 0),
    "List.append": ("++", 65, 65, 66, 1),
    "List.cons": ("::", 67, 68, 67, 1),
    "Prod": ("×", 35, 36, 35, 0),
    "Function.comp": ("∘", 90, 91, 90, 3),
    "List.Mem": ("∈", 50, 51, 51, 1),
    "Dvd.dvd": ("∣", 50, 51, 51, 0),
}
SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def level_text(level: Level) -> str:
    """A universe level."""
    k = 0
    while level[0] == "s":
        level, k = level[1], k + 1
    if level == ZERO:
        return str(k)
    if level[0] == "p":
        base = str(level[1])
    elif level[0] == "v":
        base = "?u"
    else:
        name = "max" if level[0] == "m" else "imax"
        base = f"{name} {_atom(level[1])} {_atom(level[2])}"
        return f"({base}) + {k}" if k else base
    return f"{base} + {k}" if k else base


def _atom(level: Level) -> str:
    text = level_text(level)
    return f"({text})" if " " in text else text


class Printer:
    """Prints terms; `names` gives the shown name of each variable."""

    def __init__(self, meta: Meta, names: dict[int, str] | None = None, with_mathlib: bool = False) -> None:
        self.meta = meta
        self.names = names if names is not None else {}
        self.nat = "ℕ" if with_mathlib else "Nat"
        self.holes: dict[int, int] = {}
        """Nameless holes count from 1 in each text: the same state prints the same in every process."""

    def text(self, e: Expr, prec: int = 0) -> str:
        """The term, parenthesised when its precedence is below `prec`."""
        return self._pp(self.meta.inst(e), prec, True)

    def _wrap(self, text: str, own: int, prec: int) -> str:
        return f"({text})" if own < prec else text

    def _pp(self, e: Expr, prec: int, tail: bool) -> str:
        if isinstance(e, FVar):
            return self.names.get(e.id, e.name)
        if isinstance(e, Const):
            return self.nat if e.name == "Nat" else "[]" if e.name == "List.nil" else e.name
        if isinstance(e, Lit):
            return str(e.n)
        if isinstance(e, MVar):
            named = self.names.get(e.id) or (f"?{e.name}" if e.name and e.kind == "g" else "")
            return named or f"?m.{self.holes.setdefault(e.id, len(self.holes) + 1)}"
        if isinstance(e, Sort):
            return self._sort(e, prec)
        if isinstance(e, App):
            return self._app(e, prec, tail)
        if isinstance(e, Pi):
            return self._pi(e, prec, tail)
        if isinstance(e, Lam):
            return self._lam(e, prec, tail)
        if isinstance(e, Let):
            v = self._open(e.name, e.type, e.body)
            value = self._pp(e.value, 0, True)
            out = f"let {self.names[v.id]} := {value};\n{self._pp(instantiate(e.body, v), 0, True)}"
            return out if prec <= LEAD and tail else f"({out})"
        return "#"

    def _sort(self, e: Sort, prec: int) -> str:
        if e.level == ZERO:
            return "Prop"
        if e.level == ONE:
            return "Type"
        if e.level[0] == "s":
            text = level_text(e.level[1])
            word = "Type"
        else:
            text, word = level_text(e.level), "Sort"
        out = f"{word} ({text})" if " " in text else f"{word} {text}"
        return f"({out})" if prec >= MAX else out

    def _open(self, name: str, type_: Expr, body: Expr) -> FVar:
        """A variable for a binder, renamed when the body mentions another variable of that name."""
        base = name if name and name != "_" else "x"
        base = base.removesuffix("✝")
        used: set[str] = set()
        _fvar_names(body, self.names, used)
        shown, k = base, 1
        while shown in used:
            shown, k = f"{base}_{k}", k + 1
        v = FVar(shown, type_)
        self.names[v.id] = shown
        return v

    def _app(self, e: App, prec: int, tail: bool) -> str:
        fn, args = head_args(e)
        if isinstance(fn, Lam):
            parts = [self._pp(fn, MAX, False), *[self._pp(a, ARG, False) for a in args]]
            return self._wrap(" ".join(parts), MAX - 1, prec)
        if isinstance(fn, Const):
            special = self._notation(fn.name, args, prec, tail)
            if special is not None:
                return special
        shown = self._explicit(fn, args)
        if isinstance(fn, Const) and shown:
            dotted = self._dotted(fn, args, shown, prec)
            if dotted is not None:
                return dotted
        if not shown:
            return self._pp(fn, prec, tail)
        head_text = self._pp(fn, MAX, False)
        last = len(shown) - 1
        own_parens = prec > LEAD
        texts = [self._pp(a, ARG, k == last and (tail or own_parens)) for k, a in enumerate(shown)]
        return self._wrap(" ".join([head_text, *texts]), LEAD, prec)

    def _explicit(self, fn: Expr, args: Sequence[Expr]) -> list[Expr]:
        type_ = self.meta.infer(fn)
        out: list[Expr] = []
        for a in args:
            if not isinstance(type_, Pi):
                type_ = self.meta.whnf(type_)
            if isinstance(type_, Pi):
                if type_.info == "d":
                    out.append(a)
                type_ = instantiate(type_.body, a)
            else:
                out.append(a)
        return out

    def _dotted(self, fn: Const, args: Sequence[Expr], shown: list[Expr], prec: int) -> str | None:
        """`xs.length` for `List.length xs`."""
        space, _, short = fn.name.rpartition(".")
        if not space or not isinstance(shown[0], (FVar, Const, App)):
            return None
        c = self.meta.kenv.get(fn.name)
        first = head(self.meta.inst(self.meta.infer(shown[0])))
        if c is None or not isinstance(first, Const) or first.name != space or short in ("rec", "casesOn"):
            return None
        if same(shown[0], args[-1]) or len(shown) >= 1:
            target = self._pp(shown[0], MAX, False)
            if target.isdigit():
                return None
            rest = [self._pp(a, ARG, False) for a in shown[1:]]
            text = " ".join([f"{target}.{short}", *rest])
            return self._wrap(text, LEAD if rest else MAX, prec)
        return None

    def _notation(self, name: str, args: list[Expr], prec: int, tail: bool) -> str | None:
        entry = BINARY.get(name)
        if entry is not None and len(args) == entry[4] + 2:
            if name == "List.cons":
                items = self._list_items(args)
                if items is not None:
                    return "[" + ", ".join([self._pp(x, 0, True) for x in items]) + "]"
            symbol, own, left, right, skip = entry
            a, b = args[skip], args[skip + 1]
            inner_tail = tail or own < prec
            text = f"{self._pp(a, left, False)} {symbol} {self._pp(b, right, inner_tail)}"
            return self._wrap(text, own, prec)
        if name == "Not" and len(args) == 1:
            inner = self._pp(args[0], 40, tail or prec > MAX)
            return f"¬{inner}"
        if name == "Exists" and len(args) == 2 and isinstance(args[1], Lam):
            return self._exists(args[1], prec, tail)
        if name == "List.nil" and len(args) == 1:
            return "[]"
        if name == "Prod.mk" and len(args) == 4:
            return f"({self._pp(args[2], 0, True)}, {self._pp(args[3], 0, True)})"
        if name == "Subtype" and len(args) == 2 and isinstance(args[1], Lam):
            v = self._open(args[1].name, args[1].type, args[1].body)
            return f"{{ {self.names[v.id]} // {self._pp(instantiate(args[1].body, v), 0, True)} }}"
        return None

    def _list_items(self, args: list[Expr]) -> list[Expr] | None:
        items = [args[1]]
        rest = args[2]
        while True:
            fn, inner = head_args(rest)
            if not isinstance(fn, Const):
                return None
            if fn.name == "List.nil":
                return items
            if fn.name != "List.cons" or len(inner) != 3:
                return None
            items.append(inner[1])
            rest = inner[2]

    def _exists(self, lam: Lam, prec: int, tail: bool) -> str:
        names: list[str] = []
        body: Expr = lam
        while isinstance(body, Lam):
            v = self._open(body.name, body.type, body.body)
            names.append(self.names[v.id])
            body = instantiate(body.body, v)
            fn, args = head_args(body)
            if not (
                isinstance(fn, Const) and fn.name == "Exists" and len(args) == 2 and isinstance(args[1], Lam)
            ):
                break
            body = args[1]
        out = f"∃ {' '.join(names)}, {self._pp(body, 0, True)}"
        return out if prec <= LEAD and tail else f"({out})"

    def _lam(self, e: Lam, prec: int, tail: bool) -> str:
        names: list[str] = []
        body: Expr = e
        while isinstance(body, Lam):
            used = uses_index(body.body)
            v = self._open(body.name, body.type, body.body)
            shown = self.names[v.id] if used or not body.name.endswith("✝") else "x"
            if body.info == "i":
                shown = f"{{{shown}}}"
            names.append(shown)
            body = instantiate(body.body, v)
        out = f"fun {' '.join(names)} => {self._pp(body, 0, True)}"
        return out if tail else f"({out})"

    def _pi(self, e: Pi, prec: int, tail: bool) -> str:
        if not uses_index(e.body) and e.info == "d":
            a = self._pp(e.type, 26, False)
            b = self._pp(instantiate(e.body, e.type), 25, tail or prec > 25)
            return self._wrap(f"{a} → {b}", 25, prec)
        prop = self._is_prop(e)
        groups: list[tuple[list[str], str, str]] = []
        body: Expr = e
        last: Expr | None = None
        while isinstance(body, Pi) and (uses_index(body.body) or body.info != "d"):
            type_, info = body.type, body.info
            v = self._open(body.name, type_, body.body)
            if last is not None and same(last, type_) and groups[-1][2] == info and prop:
                groups[-1][0].append(self.names[v.id])
            else:
                groups.append(([self.names[v.id]], self._pp(type_, 0, True), info))
            last = type_
            body = instantiate(body.body, v)
            if not prop:
                break
        marks = {"d": "()", "i": "{}", "s": "⦃⦄", "c": "[]"}
        shown = [f"{marks[i][0]}{' '.join(ns)} : {t}{marks[i][1]}" for ns, t, i in groups]
        inner = self._pp(body, 0 if prop else 25, True)
        if not prop:
            out = f"{shown[0]} → {inner}"
            return self._wrap(out, 25, prec) if tail else f"({out})"
        out = f"∀ {' '.join(shown)}, {inner}"
        return out if prec <= LEAD and tail else f"({out})"

    def _is_prop(self, e: Expr) -> bool:
        try:
            return self.meta.is_prop(e)
        except LeanError:
            return True


def _fvar_names(e: Expr, names: dict[int, str], out: set[str]) -> None:
    if not e.fl & 1:
        return
    if isinstance(e, FVar):
        out.add(names.get(e.id, e.name))
    elif isinstance(e, App):
        _fvar_names(e.fn, names, out)
        _fvar_names(e.arg, names, out)
    elif isinstance(e, (Lam, Pi)):
        _fvar_names(e.type, names, out)
        _fvar_names(e.body, names, out)
    elif isinstance(e, Let):
        for part in (e.type, e.value, e.body):
            _fvar_names(part, names, out)


def shown_names(lctx: Sequence[FVar]) -> dict[int, str]:
    """The name each variable is printed with: shadowed and inaccessible ones carry a dagger."""
    out: dict[int, str] = {}
    taken: set[str] = set()
    daggers: dict[str, int] = {}
    for v in reversed(lctx):
        base = v.name.removesuffix("✝")
        if base == v.name and base not in taken:
            taken.add(base)
            out[v.id] = base
            continue
        n = daggers.get(base, 0)
        daggers[base] = n + 1
        out[v.id] = f"{base}✝" + (str(n).translate(SUPERSCRIPT) if n else "")
    return out


def goal_text(meta: Meta, goal: MVar, env: Environment | None = None, others: Sequence[MVar] = ()) -> str:
    """`case tag`, hypotheses (neighbours of one type on one line), `⊢ target`; `others` print as `?tag`."""
    names = shown_names(goal.lctx)
    names.update({g.id: f"?{g.name}" for g in others if g.name})
    printer = Printer(meta, names, bool(env is not None and env.with_mathlib))
    lines: list[str] = []
    if goal.name:
        lines.append(f"case {goal.name}")
    group: list[str] = []
    group_type: Expr | None = None

    def flush() -> None:
        if group and group_type is not None:
            lines.append(f"{' '.join(group)} : {_indent(printer.text(group_type))}")
        group.clear()

    for v in goal.lctx:
        type_ = meta.inst(v.type)
        if v.value is not None:
            flush()
            lines.append(f"{names[v.id]} : {printer.text(type_)} := {printer.text(v.value)}")
            group_type = None
            continue
        if group_type is None or not same(group_type, type_):
            flush()
            group_type = type_
        group.append(names[v.id])
    flush()
    lines.append(f"⊢ {_indent(printer.text(goal.type))}")
    return "\n".join(lines)


def _indent(text: str) -> str:
    return text.replace("\n", "\n  ")


def print_closed(env: Environment, e: Expr) -> str:
    """A closed term."""
    return Printer(Meta(env.kernel), with_mathlib=env.with_mathlib).text(e)


__all__ = ["Printer", "goal_text", "level_text", "occurs", "print_closed", "shown_names"]
