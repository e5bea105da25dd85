"""The export format of Lean declarations as lines of JSON (`lean4export`, format 3), read and replayed.

Every line adds a name, a level, a term (each under its own number, made of earlier ones) or a declaration.
The older formats of words become this one on the way (`text_export`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from harness.lean.compiled.replay import Outcome, replay
from harness.lean.compiled.stated import UNSTATED, BadFile, Stated, UnknownFormat, in_order, name_text
from harness.lean.compiled.text_export import TextExport
from harness.lean.core.declarations import RecRule
from harness.lean.core.kernel import (
    DEFAULT_STEPS,
    Constant,
    InductiveDecl,
    KernelEnv,
    add_inductive,
    add_quot,
)
from harness.lean.core.level import ZERO, Level
from harness.lean.core.nodes import PROP, mk_app, proj, reserved, string
from harness.lean.core.term import (
    App,
    BVar,
    Const,
    Expr,
    FVar,
    Lam,
    Let,
    Lit,
    Pi,
    Sort,
    TermTooLarge,
    arrow,
    bind_pi,
)

FORMAT = "3."
Json = Mapping[str, Any]
_BINDERS = {"default": "d", "implicit": "i", "strictImplicit": "s", "instImplicit": "c"}
_KEYS = {"types": "inductiveVals", "ctors": "constructorVals", "recs": "recursorVals"}
"""Format 3.1 and its predecessor."""


def declarations(lines: Iterable[str]) -> Iterator[list[Stated]]:
    """What the lines declare, each after what it needs; what is declared together comes together.

    Raises `BadFile` where a line is not of the format, `TermTooLarge` at a term beyond all measure.
    """
    reader, words, number = _Reader(), TextExport(), 0
    apart: list[list[Stated]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if words.version is not None or (not reader.started and not line.startswith("{")):
            apart += _declared(reader, words.line(line), number)
        else:
            yield from _declared(reader, map(json.loads, (line,)), number)
    yield from in_order(_declared(reader, words.end(), number) + apart)  # Eq before Quot


def _declared(reader: _Reader, parts: Iterator[Json], number: int) -> list[list[Stated]]:
    """What the parts of a line declare. Whatever goes wrong in reading them makes the file a bad one."""
    try:
        return [group for part in parts for group in reader.line(part)]
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as wrong:
        raise BadFile(f"line {number}: {type(wrong).__name__}: {wrong}") from wrong


@dataclass(slots=True)
class _Reader:
    names: dict[int, str] = field(default_factory=lambda: {0: ""})
    levels: dict[int, Level] = field(default_factory=lambda: {0: ZERO})
    terms: dict[int, Expr] = field(default_factory=dict)
    started: bool = False

    def line(self, data: Json) -> list[list[Stated]]:
        """Take in one line; the declarations it holds."""
        if "meta" in data:
            version = data["meta"].get("format", {"version": "not told"})["version"]
            if not version.startswith(FORMAT):
                raise UnknownFormat(f"format {version}; of those in JSON this reads {FORMAT}x")
            self.started = True
            return []
        if not self.started:
            raise BadFile("no meta line before the first declaration")
        if "in" in data:
            self._new(self.names, data["in"], self._name(data))
        elif "il" in data:
            self._new(self.levels, data["il"], self._level(data))
        elif "ie" in data:
            self._new(self.terms, data["ie"], self._term(data))
        else:
            return self._declared(data)
        return []

    @staticmethod
    def _new(table: dict[int, Any], number: object, value: object) -> None:
        if type(number) is not int or number in table:
            raise BadFile(f"number {number} is given twice")
        table[number] = value

    def _name(self, data: Json) -> str:
        if "str" in data:
            return name_text(self.names[data["str"]["pre"]], str(data["str"]["str"]))
        return name_text(self.names[data["num"]["pre"]], int(data["num"]["i"]))

    def _level(self, data: Json) -> Level:
        if "succ" in data:
            return ("s", self.levels[data["succ"]])
        if "param" in data:
            return ("p", self.names[data["param"]])
        key = "max" if "max" in data else "imax"
        left, right = data[key]
        return ("m" if key == "max" else "i", self.levels[left], self.levels[right])

    def _term(self, data: Json) -> Expr:
        if "bvar" in data:
            return BVar(_count(data["bvar"]))
        if "sort" in data:
            return Sort(self.levels[data["sort"]])
        if "const" in data:
            node = data["const"]
            name = self.names[node["name"]]
            return Const(name, tuple([self.levels[u] for u in node["us"]]))
        if "app" in data:
            return App(self.terms[data["app"]["fn"]], self.terms[data["app"]["arg"]])
        for key, make in (("lam", Lam), ("forallE", Pi)):
            if key in data:
                node = data[key]
                info = _BINDERS[node["binderInfo"]]
                shown = self.names[node["name"]]
                return make(shown, self.terms[node["type"]], self.terms[node["body"]], info)
        if "letE" in data:
            node = data["letE"]
            type_, value, body = [self.terms[node[key]] for key in ("type", "value", "body")]
            return Let(self.names[node["name"]], type_, value, body)
        if "proj" in data:
            node = data["proj"]
            return App(proj(self.names[node["typeName"]], _count(node["idx"])), self.terms[node["struct"]])
        if "natVal" in data:
            return Lit(_count(int(data["natVal"])))
        if "strVal" in data:
            return string(str(data["strVal"]))
        return self.terms[data["mdata"]["expr"]]

    # ------------------------------------------------------------ declarations
    def _declared(self, data: Json) -> list[list[Stated]]:
        ((key, body),) = data.items()
        if key == "inductive":
            return [self._group(body)]
        if key == "quotients":
            return [standard_quotients()]
        bodies = body if isinstance(body, list) else [body]
        return [[self._single(key, each)] for each in bodies]

    def _base(self, body: Json, kind: str) -> Constant:
        name = self.names[body["name"]]
        params = tuple([self.names[p] for p in body["levelParams"]])
        if not name or reserved(name) or "" in params:
            raise BadFile("a declaration without a name")
        return Constant(name, kind, params, self.terms[body["type"]])

    def _single(self, key: str, body: Json) -> Stated:
        kind = {"axiom": "axiom", "def": "def", "thm": "theorem", "opaque": "opaque", "quot": "quot"}[key]
        c = self._base(body, kind)
        if kind in ("def", "theorem", "opaque"):
            hints = body.get("hints")
            height = int(hints["regular"]) if isinstance(hints, Mapping) else 0
            c = replace(c, value=self.terms[body["value"]], height=height, reducible=hints == "abbrev")
        safety = str(body.get("safety", "safe"))
        unchecked = "unsafe" if body.get("isUnsafe") else "" if safety == "safe" else safety
        return Stated(c, tuple([self.names[n] for n in body.get("all", ())]), unchecked)

    def _group(self, body: Json) -> list[Stated]:
        def part(key: str) -> list[Json]:
            return list(body[key] if key in body else body[_KEYS[key]])

        kinds = (("inductive", "types"), ("ctor", "ctors"), ("rec", "recs"))
        return [self._member(kind, each) for kind, key in kinds for each in part(key)]

    def _member(self, kind: str, body: Json) -> Stated:
        """A family, a constructor or a recursor."""
        c = replace(
            self._base(body, kind),
            nparams=_count(body["numParams"]),
            nindices=_told(body.get("numIndices", 0)),
            nfields=_told(body.get("numFields", 0)),
            nmotives=_count(body.get("numMotives", 1)),
            nminors=_count(body.get("numMinors", 0)),
        )
        if kind == "inductive":
            c = replace(c, ctors=tuple([self.names[n] for n in body["ctors"]]))
        elif kind == "ctor":
            c = replace(c, induct=self.names[body["induct"]])
        else:
            c = replace(c, rules=tuple([self._rule(r) for r in body["rules"]]), k=body["k"] is True)
        return Stated(c, (), "unsafe" if body.get("isUnsafe") else "")

    def _rule(self, rule: Json) -> RecRule:
        return RecRule(self.names[rule["ctor"]], _count(rule["nfields"]), self.terms[rule["rhs"]])


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no natural number")
    return value


def _told(value: object) -> int:
    """A number, or that the file tells none: then what the kernel finds counts."""
    return UNSTATED if value is None else _count(value)


def standard_quotients() -> list[Stated]:
    """`Quot` and what belongs to it, as the older formats declare them: by one word."""
    a, u = FVar("α", Sort(("p", "u")), None, "i"), ("p", "u")
    x, eq = FVar("a", a), Const("Eq", (u,))
    family = bind_pi([a], arrow(a, arrow(a, PROP)))
    refl = bind_pi([a, x], mk_app(eq, a, x, x))
    known = add_inductive(KernelEnv(), InductiveDecl("Eq", ("u",), 2, family, (("Eq.refl", refl),)))
    return [Stated(c) for c in add_quot(known).own.values() if c.kind == "quot"]


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of an export. `declined`: name and reason; nothing that rests on these is known."""

    outcome: Outcome
    detail: str = ""
    accepted: int = 0
    declined: tuple[tuple[str, str], ...] = ()


def check_export(lines: Iterable[str], steps: int = DEFAULT_STEPS) -> Checked:
    """Replay an export from the empty environment up to the first declaration that is refused.

    Once something was not judged, what is refused after it may only miss it: that is not judged either.
    Raises `OutOfTime` only when the caller's own deadline has passed.
    """
    env, accepted, late = KernelEnv(), 0, False
    left: list[tuple[str, str]] = []
    try:
        for group in declarations(lines):
            name = group[0].constant.name if group else ""
            found = replay(env, group, steps)
            env = found.env
            if not accepted & 255:
                env = env.frozen()
            if found.outcome is Outcome.REFUSED and not left:
                return Checked(Outcome.REFUSED, f"{name}: {found.detail}", accepted)
            if found.outcome is Outcome.ACCEPTED:
                accepted += 1
            else:
                left.append((name, found.detail))
                late = late or found.outcome is Outcome.OUT_OF_TIME
    except UnknownFormat as gap:
        return Checked(Outcome.DECLINED, str(gap), accepted)
    except BadFile as wrong:
        return Checked(Outcome.REFUSED, str(wrong), accepted)
    except TermTooLarge:
        return Checked(Outcome.DECLINED, "a term or level is too large", accepted, tuple(left))
    if not left:
        return Checked(Outcome.ACCEPTED, "", accepted)
    outcome = Outcome.OUT_OF_TIME if late else Outcome.DECLINED
    return Checked(outcome, f"{left[0][0]}: {left[0][1]}", accepted, tuple(left))
