"""The older export formats: today's exports written as words come to the same, and nothing else does."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from harness.audits.arena import run_arena
from harness.lean.compiled.exported import check_export, declarations
from harness.lean.compiled.replay import Outcome, replay
from harness.lean.compiled.stated import BadFile, UnknownFormat
from harness.lean.core.kernel import KernelEnv
from harness.lean.core.library import library
from harness.lean.core.term import Const, TermTooLarge, same
from tests.lean.compiled.exporting import Exporter

VERSIONS = ("", "0.1.2", "2.0.0")
BINDERS = {"default": "#BD", "implicit": "#BI", "strictImplicit": "#BS", "instImplicit": "#BC"}


def words(lines: Iterable[dict[str, Any]], version: str) -> list[str]:
    """An export of today's format in an older one."""
    out = [version] if version else []
    rules = 0
    for line in lines:
        kind = next(key for key in line if key not in ("in", "il", "ie"))
        body = line[kind]
        if kind == "inductive":
            made, rules = family(body, version, rules)
            out += made
        elif kind in ("axiom", "def", "thm", "opaque", "quot"):
            out.append(constant(kind, body, version))
        elif kind != "meta":
            out.append(part(line, kind, body))
    return out


def part(line: dict[str, Any], kind: str, body: Any) -> str:
    number = next(line[key] for key in ("in", "il", "ie") if key in line)
    node = list(body.values()) if isinstance(body, dict) else body
    if kind in ("forallE", "lam"):
        inside = f"{BINDERS[body['binderInfo']]} {body['name']} {body['type']} {body['body']}"
        return f"{number} {'#EP' if kind == 'forallE' else '#EL'} {inside}"
    tag = {"str": "#NS", "num": "#NI", "succ": "#US", "param": "#UP", "max": "#UM", "imax": "#UIM"}
    tag |= {"bvar": "#EV", "sort": "#ES", "const": "#EC", "app": "#EA", "proj": "#EJ", "letE": "#EZ"}
    if kind == "natVal":
        return f"{number} #ELN {body}"
    if kind == "const":
        node = [body["name"], *body["us"]]
    if kind == "letE":
        node = [body[key] for key in ("name", "type", "value", "body")]
    return f"{number} {tag[kind]} {' '.join(map(str, node if isinstance(node, list) else [node]))}"


def constant(kind: str, body: dict[str, Any], version: str) -> str:
    levels = " ".join(map(str, body["levelParams"]))
    base = f"{body['name']} {body['type']}"
    if kind in ("axiom", "quot"):
        return f"{'#AX' if kind == 'axiom' else '#QUOT'} {base} {levels}"
    if not version:
        return f"#DEF {base} {body['value']} {levels}"
    if kind == "def":
        return f"#DEF {base} {body['value']} R {body['hints']['regular']} {levels}"
    return f"{'#THM' if kind == 'thm' else '#OPAQ'} {base} {body['value']} {levels}"


def family(body: dict[str, Any], version: str, rules: int) -> tuple[list[str], int]:
    (own,), ctors, (rec,) = body["types"], body["ctors"], body["recs"]
    levels = " ".join(map(str, own["levelParams"]))
    head = f"{own['name']} {own['type']}"
    if not version:
        each = " ".join(f"{c['name']} {c['type']}" for c in ctors)
        return [f"#IND {own['numParams']} {head} {len(ctors)} {each} {levels}"], rules
    flags = "0 0" if version == "0.1.2" else "0 0 0"
    names = " ".join(str(c["name"]) for c in ctors)
    counts = f"{own['numParams']} {own['numIndices']}"
    out = [f"#IND {head} {flags} {counts} 1 {own['name']} {len(ctors)} {names} {levels}"]
    for k, c in enumerate(ctors):
        tail = f"{own['name']} {k} {c['numParams']} {c['numFields']} {levels}"
        out.insert(k % 2, f"#CTOR {c['name']} {c['type']} {tail}")  # in no order that matters
    for k, rule in enumerate(rec["rules"]):
        out.append(f"{rules + k} #RR {rule['ctor']} {rule['nfields']} {rule['rhs']}")
    n = len(rec["rules"])
    counts = f"{rec['numParams']} {rec['numIndices']} 1 {rec['numMinors']} {n}"
    numbers = " ".join(str(rules + k) for k in range(n))
    levels = " ".join(map(str, rec["levelParams"]))
    base = f"#REC {rec['name']} {rec['type']} 1 {own['name']} {counts} {numbers}"
    return [*out, f"{base} {int(rec['k'])} {levels}"], rules + n


def exported(version: str, *names: str) -> list[str]:
    exporter = Exporter(library().kernel)
    exporter.add(names)
    return words(exporter.lines, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_library_is_accepted_from_its_export(version: str) -> None:
    found = check_export(exported(version, *library().kernel.base))
    assert (found.outcome, found.detail) == (Outcome.ACCEPTED, "")
    assert found.accepted > 400


NAT = """1 #NS 0 Nat
2 #NS 1 zero
3 #NS 1 succ
1 #US 0
1 #ES 1
2 #EC 1
3 #EP #BD 0 2 2""".splitlines()
EQ = """1 #NS 0 Eq
2 #NS 1 refl
3 #NS 0 u
1 #UP 3
1 #ES 1
2 #ES 0
3 #EV 0
4 #EV 1
5 #EP #BD 0 4 2
6 #EP #BD 0 3 5
7 #EP #BI 0 1 6
8 #EC 1 1
9 #EA 8 4
10 #EA 9 3
11 #EA 10 3
12 #EP #BD 0 3 11
13 #EP #BI 0 1 12""".splitlines()
TWO = """1 #NS 0 a
2 #NS 0 b
1 #US 0
1 #ES 1
2 #ES 0
3 #EC 1
4 #EC 2""".splitlines()


def test_a_bare_word_declares_the_quotients() -> None:
    env = KernelEnv()
    for group in declarations([*EQ, "#IND 2 1 7 1 2 13 3", "#QUOT"]):
        found = replay(env, group)
        assert found.outcome is Outcome.ACCEPTED, found.detail
        env = found.env
    standard = library().kernel
    for name in ("Quot", "Quot.mk", "Quot.lift", "Quot.ind"):
        made, known = env.get(name), standard.get(name)
        assert made is not None and known is not None and same(made.type, known.type)
    assert check_export(["#QUOT"]).outcome is Outcome.REFUSED  # without Eq


def test_numbers_of_indices_and_fields_are_found_where_the_format_tells_none() -> None:
    found = check_export([*NAT, "#IND 0 1 1 2 2 2 3 3"])
    assert (found.outcome, found.accepted) == (Outcome.ACCEPTED, 1)


def test_strings_numerals_and_spaces_in_names() -> None:
    line = ["1 #NS 0 a b", "2 #NS 1 c.d", "1 #ELS 61 c3 a9", "2 #ELN 12", "#AX 2 1 ", "#AX 1 2 "]
    groups = list(declarations(line))
    assert [str(g[0].constant.name) for g in groups] == ["«a b».«c.d»", "«a b»"]
    assert [repr(g[0].constant.type) for g in groups] == [repr(Const("\1aé")), "12"]


def test_an_unknown_format_is_declined_and_a_cut_off_file_refused() -> None:
    for version in ("0.0.0", "3.0.0", "2.1.0"):
        assert check_export([version, *NAT]).outcome is Outcome.DECLINED
        with pytest.raises(UnknownFormat, match=version):
            list(declarations([version, *NAT]))
    lines = exported("2.0.0", "Nat.add_comm")
    for gone in ("#CTOR", "#IND", "#RR"):
        at = next(k for k, line in enumerate(lines) if gone in line)
        assert check_export(lines[:at] + lines[at + 1 :]).outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    "line",
    [
        "#IND 0 1 1 2 2 2 3",
        "#IND 0 1 1 9",
        "#IND 0 1 1 -1",
        "#IND 1 1 1 2 2 2 3 3",
        "#DEF 1 1",
        "#THM 1 1 2",
        "#SURPRISE 1",
        "9 #EE 1",
        "9",
        "x #EV 0",
        "9 #EA 1",
        "9 #EV -1",
        "9 #EA 1 77",
        "1 #NS 0 again",
        "9 #ELN -4",
        "9 #ELS zz",
        "9 #EP #BX 0 1 1",
        "{}",
        '{"meta": {"format": {"version": "3.1.0"}}}',
    ],
)
def test_a_line_out_of_the_format_is_refused(line: str) -> None:
    found = check_export([*NAT, line])
    assert (found.outcome, found.accepted) == (Outcome.REFUSED, 0)


def test_what_stands_in_the_wrong_place_is_put_in_order_and_a_circle_refused() -> None:
    lines = exported("2.0.0", "Nat.add_comm")
    parts = [line for line in lines if not line.startswith("#")]
    rest = [line for line in lines if line.startswith("#")]
    assert check_export([*parts, *reversed(rest)]).outcome is Outcome.ACCEPTED
    circle = check_export([*TWO, "#DEF 1 1 4", "#DEF 2 1 3"])
    assert circle.outcome is Outcome.REFUSED and "needs itself" in circle.detail
    assert check_export([*TWO, "#DEF 1 1 3"]).outcome is Outcome.REFUSED


def mutant(lines: list[str], rng: random.Random) -> list[str]:
    at = rng.randrange(len(lines))
    line = lines[at].split(" ")
    spots = [k for k, word in enumerate(line) if word.isdigit()]
    if not spots:
        return lines
    k = rng.choice(spots)
    value = int(line[k])
    line[k] = str(rng.choice([value + 1, max(value - 1, 0), rng.randrange(value + 2)]))
    return [*lines[:at], " ".join(line), *lines[at + 1 :]]


def replayed(lines: list[str]) -> KernelEnv | None:
    env = KernelEnv()
    try:
        for group in declarations(lines):
            found = replay(env, group)
            if found.outcome is not Outcome.ACCEPTED:
                return None
            env = found.env
    except (BadFile, TermTooLarge):
        return None
    return env


def test_no_mutant_proves_anything_false() -> None:
    rng = random.Random(20261)
    names = ("Nat.add_comm", "List.append_assoc", "Exists.elim", "Quot.lift", "Classical.em", "Prod.fst")
    sources = [exported(version, name) for name in names for version in VERSIONS]
    refused = 0
    for _ in range(400):
        env = replayed(mutant(rng.choice(sources), rng))
        if env is None:
            refused += 1
            continue
        closed = [c for c in env.own.values() if c.kind in ("def", "theorem", "ctor")]
        assert not any(same(c.type, Const("False")) for c in closed)
        claims = [c.name for c in env.own.values() if c.kind == "axiom"]
        assert {"propext", "Classical.choice", "Quot.sound", "sorryAx"}.issuperset(claims)
    assert 200 < refused < 400


def test_the_arena_reads_them(tmp_path: Path) -> None:
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "nat.export").write_text("\n".join(exported("2.0.0", "Nat")), encoding="utf-8")
    (row,) = run_arena(tmp_path, 60.0)
    assert (row.good, row.found.outcome, row.found.accepted) == (True, Outcome.ACCEPTED, 1)
