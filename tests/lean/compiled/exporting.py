"""Constants of a kernel environment written in the export format, as lean4export would."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from harness.lean.core.kernel import Constant, KernelEnv
from harness.lean.core.level import ZERO, Level
from harness.lean.core.nodes import proj_of
from harness.lean.core.term import App, BVar, Const, Expr, Lam, Let, Lit, Pi, Sort, const_names

META = {"meta": {"exporter": {"name": "test"}, "format": {"version": "3.1.0"}, "lean": {"version": "4.35.0"}}}
BINDERS = {"d": "default", "i": "implicit", "s": "strictImplicit", "c": "instImplicit"}


class Exporter:
    """Collects the lines of an export; every constant comes after what it needs."""

    def __init__(self, env: KernelEnv) -> None:
        self.env = env
        self.lines: list[dict[str, Any]] = [META]
        self._names: dict[str, int] = {"": 0}
        self._levels: dict[Level, int] = {ZERO: 0}
        self._terms: dict[Expr, int] = {}
        self._done: set[str] = set()

    def text(self) -> str:
        """The export."""
        return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in self.lines)

    def name(self, name: str) -> int:
        """The number of a name whose parts hold no dots."""
        if name not in self._names:
            front, _, last = name.rpartition(".")
            data = {"str": {"pre": self.name(front), "str": last}, "in": len(self._names)}
            self._names[name] = data["in"] = len(self._names)  # type: ignore[assignment]
            self.lines.append(data)
        return self._names[name]

    def level(self, level: Level) -> int:
        """The number of a level."""
        if level not in self._levels:
            tag = level[0]
            if tag == "p":
                data: dict[str, Any] = {"param": self.name(level[1])}
            elif tag == "s":
                data = {"succ": self.level(level[1])}
            else:
                parts = [self.level(level[1]), self.level(level[2])]
                data = {"max" if tag == "m" else "imax": parts}
            self._levels[level] = data["il"] = len(self._levels)
            self.lines.append(data)
        return self._levels[level]

    def term(self, e: Expr) -> int:
        """The number of a term."""
        if e not in self._terms:
            data = self._data(e)
            self._terms[e] = data["ie"] = len(self._terms)
            self.lines.append(data)
        return self._terms[e]

    def _data(self, e: Expr) -> dict[str, Any]:
        if isinstance(e, BVar):
            return {"bvar": e.i}
        if isinstance(e, Sort):
            return {"sort": self.level(e.level)}
        if isinstance(e, Const):
            return {"const": {"name": self.name(e.name), "us": [self.level(u) for u in e.levels]}}
        if isinstance(e, App):
            field = proj_of(e.fn.name) if isinstance(e.fn, Const) else None
            if field is not None:
                structure, index = self.name(field[0]), field[1]
                return {"proj": {"typeName": structure, "idx": index, "struct": self.term(e.arg)}}
            return {"app": {"fn": self.term(e.fn), "arg": self.term(e.arg)}}
        if isinstance(e, (Lam, Pi)):
            node = {"name": self.name(""), "type": self.term(e.type), "body": self.term(e.body)}
            return {"lam" if isinstance(e, Lam) else "forallE": {**node, "binderInfo": BINDERS[e.info]}}
        if isinstance(e, Let):
            node = {"name": 0, "type": self.term(e.type), "value": self.term(e.value)}
            return {"letE": {**node, "body": self.term(e.body), "nondep": False}}
        assert isinstance(e, Lit)
        return {"natVal": str(e.n)}

    # ------------------------------------------------------------ declarations
    def add(self, names: Iterable[str]) -> None:
        """Write the constants of these names and all that they need."""
        for name in names:
            self._add(name)

    def _add(self, name: str) -> None:
        c = self.env.get(name)
        if c is None or name in self._done:
            return
        if c.kind in ("ctor", "rec"):
            self._add(c.induct)
            return
        family = [name, *c.ctors, f"{name}.rec"] if c.kind == "inductive" else [name]
        self._done.update(family)
        if c.kind == "quot":
            self._add("Eq")
        for part in family:
            known = self.env.get(part)
            assert known is not None
            for term in (known.type, known.value):
                self.add(const_names(term, {}) if term is not None else ())
        self.lines.append(self._declared(c))

    def _declared(self, c: Constant) -> dict[str, Any]:
        if c.kind == "inductive":
            return {"inductive": self._family(c)}
        key = {"theorem": "thm"}.get(c.kind, c.kind)
        body = self._base(c)
        if c.value is not None:
            body["value"] = self.term(c.value)
        if c.kind == "def":
            body |= {"hints": {"regular": c.height}, "safety": "safe"}
        return {key: body}

    def _base(self, c: Constant) -> dict[str, Any]:
        levels = [self.name(p) for p in c.params]
        return {
            "name": self.name(c.name),
            "levelParams": levels,
            "type": self.term(c.type),
            "isUnsafe": False,
        }

    def _family(self, c: Constant) -> dict[str, Any]:
        rec = self.env.get(f"{c.name}.rec")
        assert rec is not None
        ctors = []
        for name in c.ctors:
            ctor = self.env.get(name)
            assert ctor is not None
            counts = {"numParams": ctor.nparams, "numFields": ctor.nfields, "induct": self.name(c.name)}
            ctors.append({**self._base(ctor), **counts})
        own = {"numParams": c.nparams, "numIndices": c.nindices, "ctors": [self.name(n) for n in c.ctors]}
        rules = [
            {"ctor": self.name(r.ctor), "nfields": r.nfields, "rhs": self.term(r.rhs)} for r in rec.rules
        ]
        counts = {"numParams": rec.nparams, "numIndices": rec.nindices, "numMotives": 1}
        counts["numMinors"] = rec.nminors
        return {
            "types": [{**self._base(c), **own}],
            "ctors": ctors,
            "recs": [{**self._base(rec), **counts, "rules": rules, "k": rec.k}],
        }
