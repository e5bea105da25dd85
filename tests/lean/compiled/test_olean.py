"""Compiled modules: read as they are, and refused where anything in them is off."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from harness.lean.compiled.library import Library, closure, index_of
from harness.lean.compiled.module import Module
from harness.lean.compiled.olean import Part, Space, StructError, open_module
from harness.lean.compiled.stated import BadFile, BadLibrary, Stated
from harness.lean.core.kernel import NAT, Constant
from harness.lean.core.level import ZERO, lsucc
from harness.lean.core.library import library
from harness.lean.core.nodes import proj, string
from harness.lean.core.term import PROP, TYPE, App, BVar, Const, Lam, Let, Lit, Pi, Sort, same
from tests.lean.compiled.writing import (
    BASE,
    NIL,
    Writer,
    axiom,
    definition,
    stated_of,
    theorem,
    write_library,
    write_module,
)

TRUE = theorem("t", Const("True"), Const("True.intro"))


def module(data: bytes, *more: bytes) -> Module:
    return Module(Space([Part.of(part) for part in (data, *more)]))


def test_every_constant_of_the_library_comes_back() -> None:
    env = library().kernel
    names = list(env.base)
    found = module(Writer().module(["A.B"], stated_of(env, names)))
    assert [i.module for i in found.imports] == ["A.B"]
    assert list(found.positions) == names
    for name in names:
        stated, c = found.get(name), env.get(name)
        assert stated is not None and c is not None
        got = stated.constant
        assert (got.kind, got.params, got.ctors, got.k) == (c.kind, c.params, c.ctors, c.k)
        assert same(got.type, c.type)
        assert (got.value is None and c.value is None) or same(got.value, c.value)  # type: ignore[arg-type]
        assert [(r.ctor, r.nfields) for r in got.rules] == [(r.ctor, r.nfields) for r in c.rules]
        assert all(same(r.rhs, s.rhs) for r, s in zip(got.rules, c.rules, strict=True))
        if c.kind in ("inductive", "ctor", "rec"):
            counts = ("nparams", "nindices", "nfields", "nmotives", "nminors")
            assert [getattr(got, key) for key in counts] == [getattr(c, key) for key in counts]


@pytest.mark.parametrize(
    "term",
    [
        Lit(0),
        Lit(1 << 62),
        Lit(10**40),
        string("aéπ"),
        App(proj("Prod", 1), BVar(0)),
        Let("x", NAT, Lit(1), BVar(0)),
        Lam("x", NAT, Pi("y", PROP, TYPE, "i"), "c"),
        Const("List.nil", (lsucc(("m", ("p", "u"), ("i", ("p", "v"), ZERO))),)),
    ],
)
def test_terms_come_back(term: object) -> None:
    got = module(Writer().module([], [definition("d", PROP, term)])).get("d")  # type: ignore[arg-type]
    assert got is not None and got.constant.value == term


def test_sharing_stays_sharing() -> None:
    """A term that is exponentially large as a tree is read in as many steps as it has nodes."""
    writer = Writer()
    at = writer.term(Const("True"))
    for _ in range(60):
        at = writer.cell(5, [at, at], bytes(8))
    info = writer.cell(0, [writer.cell(0, [writer.cell(0, [writer.name("big"), NIL, at])], bytes(8))])
    arrays = [writer.array(part) for part in ([], [writer.name("big")], [info], [], [])]
    data = writer.finish(writer.cell(0, arrays, bytes(8)))
    from harness.lean.core.nodes import shared_terms

    with shared_terms():
        got = module(data).get("big")
    assert got is not None and got.constant.type.sz > 1 << 60


def test_an_unsafe_constant_says_so() -> None:
    c = Constant("d", "def", (), NAT, Lit(0))
    found = module(
        Writer().module([], [Stated(c, (), "unsafe"), Stated(axiom("a", PROP).constant, (), "unsafe")])
    )
    assert [found.get(n).unchecked != "" for n in ("d", "a")] == [True, True]  # type: ignore[union-attr]


# ---------------------------------------------------------------- what is off
def raw(root_of: object) -> bytes:
    """A file whose one constant `t` has the type that `root_of(writer)` points to."""
    writer = Writer()
    type_ = root_of(writer)  # type: ignore[operator]
    base = writer.cell(0, [writer.name("t"), NIL, type_])
    info = writer.cell(0, [writer.cell(0, [base], bytes(1))])
    arrays = [writer.array(part) for part in ([], [writer.name("t")], [info], [], [])]
    return writer.finish(writer.cell(0, arrays, bytes(8)))


def deep_level(writer: Writer, depth: int) -> int:
    at = NIL
    for _ in range(depth):
        at = writer.cell(1, [at], bytes(8))
    return writer.cell(3, [at], bytes(8))


def long_name(writer: Writer, parts: int) -> int:
    return writer.cell(4, [writer.name(("a",) * parts), NIL], bytes(8))


BROKEN = {
    "free variable": lambda w: w.cell(1, [w.name("x")], bytes(8)),
    "metavariable": lambda w: w.cell(2, [w.name("x")], bytes(8)),
    "unknown tag": lambda w: w.cell(12, [NIL], bytes(8)),
    "fields": lambda w: w.cell(5, [w.term(PROP)], bytes(8)),
    "boxed": lambda w: 7,
    "forward": lambda w: BASE + len(w.data) + 512,
    "to itself": lambda w: w.cell(5, [BASE + len(w.data), BASE + len(w.data)], bytes(8)),
    "misaligned": lambda w: w.term(PROP) + 4,
    "into the head": lambda w: BASE + 80,
    "null": lambda w: 0,
    "level of a metavariable": lambda w: w.cell(3, [w.cell(5, [w.name("x")], bytes(8))], bytes(8)),
    "name for a term": lambda w: w.name("x"),
    "term for a level": lambda w: w.cell(3, [w.term(PROP)], bytes(8)),
    "anonymous constant": lambda w: w.cell(4, [NIL, NIL], bytes(8)),
    "anonymous level": lambda w: w.cell(3, [w.cell(4, [NIL], bytes(8))], bytes(8)),
    "level too deep": lambda w: deep_level(w, 600),
    "name too long": lambda w: long_name(w, 250),
    "binder": lambda w: w.cell(7, [w.name("x"), w.term(PROP), w.term(PROP)], bytes(8) + b"\x07"),
    "index": lambda w: w.cell(0, [w.number(1 << 40)], bytes(8)),
    "negative": lambda w: w._put(struct.pack("<IHBBiiQQ", 0, 1, 0, 250, 1, -1, 0, 5)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_off_in_a_term_is_refused(name: str) -> None:
    with pytest.raises((BadFile, StructError)):
        module(raw(BROKEN[name])).get("t")


def test_the_head_is_checked() -> None:
    good = Writer().module([], [TRUE])
    assert module(good).get("t") is not None
    for data in (b"", good[:50], b"x" + good[1:], good[:5] + b"\3" + good[6:], good[:200]):
        with pytest.raises((BadFile, StructError)):
            module(data).get("t")


def test_a_constant_is_filed_under_its_own_name_once() -> None:
    with pytest.raises(BadFile, match="filed as"):
        module(Writer().module([], [("other", TRUE)])).get("other")
    with pytest.raises(BadFile, match="twice"):
        module(Writer().module([], [TRUE, TRUE])).get("t")


def test_a_dotted_part_is_another_name() -> None:
    data = Writer().module([], [(("a.b",), Stated(TRUE.constant))])
    assert list(module(data).positions) == ["«a.b»"]


def test_the_last_part_has_the_truth() -> None:
    """In the public part of a `module` file every theorem is an axiom."""
    public = Writer(0x10000).module([], [axiom("t", Const("True"))])
    private = Writer(0x20000).module([], [TRUE, axiom("hidden", PROP)])
    both = module(public, private)
    assert [both.get(n).constant.kind for n in ("t", "hidden")] == ["theorem", "axiom"]  # type: ignore[union-attr]
    with pytest.raises(BadFile, match="belong together"):
        module(private, public)


# ---------------------------------------------------------------- libraries
def test_an_index_is_made_once_and_tells_axioms(tmp_path: Path) -> None:
    write_library(tmp_path / "lib", library().kernel)
    bad = theorem("bad", Const("False"), Const("claim"))
    write_module(tmp_path / "lib" / "A" / "B.olean", [axiom("claim", Const("False")), bad])
    roots, indexes = [tmp_path / "lib"], tmp_path / "indexes"
    assert [source.name for source in closure(roots, ["A.B"])] == ["Init", "A.B"]
    index = index_of(roots, ["A.B"], indexes)
    assert index_of(roots, ["A.B"], indexes) == index
    assert index.stat().st_mode & 0o222 == 0
    found = Library(index)
    assert found.axioms("bad") == {"claim"}
    assert found.axioms("Nat.add_comm") == frozenset()
    assert "propext" in found.axioms("Classical.em")
    assert found.has("Nat") and not found.has("nothing")
    theorem_ = found.get("bad")
    assert theorem_ is not None and theorem_.value is None
    assert {"Nat.add", "Nat.mul", "Nat.pow"} <= found.env.fast


def test_a_library_that_changed_is_not_used(tmp_path: Path) -> None:
    write_library(tmp_path, library().kernel)
    index = index_of([tmp_path], ["Init"], tmp_path / "indexes")
    (tmp_path / "Init.olean").write_bytes(Writer().module([], [TRUE]))
    with pytest.raises(BadLibrary, match="changed"):
        Library(index).get("Nat")
    assert index_of([tmp_path], ["Init"], tmp_path / "indexes") != index


def test_what_cannot_be_a_library_is_told(tmp_path: Path) -> None:
    write_module(tmp_path / "A.olean", [TRUE], ["B"])
    write_module(tmp_path / "B.olean", [TRUE], ["A"])
    with pytest.raises(BadFile, match="imports itself"):
        closure([tmp_path], ["A"])
    with pytest.raises(BadFile, match="none of"):
        closure([tmp_path], ["C"])
    write_module(tmp_path / "B.olean", [TRUE], [])
    with pytest.raises(BadFile, match="declares a name again"):
        index_of([tmp_path], ["A"], tmp_path / "indexes")


# ---------------------------------------------------------------- mutations
def test_a_mutated_file_is_read_or_refused() -> None:
    """Never another exception, whatever stands in the file."""
    good = Writer().module(
        ["Init"], stated_of(library().kernel, ["Nat", "Nat.rec", "Nat.add", "Nat.add_comm"])
    )
    rng = random.Random(3)
    refused = 0
    for _ in range(600):
        data = bytearray(good)
        for _ in range(rng.choice([1, 1, 2, 5])):
            at = rng.randrange(len(data) // 8) * 8
            if rng.random() < 0.5:
                data[at : at + 8] = struct.pack("<Q", BASE + 8 * rng.randrange(len(data) // 8))
            else:
                data[at + rng.randrange(8)] = rng.randrange(256)
        try:
            found = module(bytes(data))
            _ = found.imports
            for name in found.positions:
                found.get(name)
        except (BadFile, StructError):
            refused += 1
    assert refused > 100


def test_the_parts_of_a_module_are_found(tmp_path: Path) -> None:
    (tmp_path / "M.olean").write_bytes(Writer(0x10000).module([], [axiom("t", Const("True"))]))
    assert Module(open_module(tmp_path / "M.olean")).get("t").constant.kind == "axiom"  # type: ignore[union-attr]
    (tmp_path / "M.olean.private").write_bytes(Writer(0x20000).module([], [TRUE]))
    assert Module(open_module(tmp_path / "M.olean")).get("t").constant.kind == "theorem"  # type: ignore[union-attr]
    assert Sort(ZERO) == PROP
