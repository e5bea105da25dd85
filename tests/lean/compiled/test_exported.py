"""Exports of Lean declarations: read exactly, replayed from nothing, and refused when anything is off."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from harness.audits.arena import arena_summary, run_arena
from harness.errors import UserError
from harness.lean.compiled.exported import check_export, declarations
from harness.lean.compiled.replay import Outcome, replay
from harness.lean.compiled.stated import BadFile, name_text
from harness.lean.core.kernel import KernelEnv
from harness.lean.core.library import library
from harness.lean.core.term import Const, TermTooLarge, same
from tests.lean.compiled.exporting import META, Exporter

SOME = (
    "Nat.add_comm",
    "List.append_assoc",
    "Or.elim",
    "Exists.elim",
    "Quot.lift",
    "Classical.em",
    "Nat.le_antisymm",
    "Prod.fst",
    "Subtype.val",
)


def exported(*names: str) -> list[dict[str, Any]]:
    exporter = Exporter(library().kernel)
    exporter.add(names)
    return exporter.lines


def check(lines: list[dict[str, Any]]) -> Outcome:
    return check_export(json.dumps(line) for line in lines).outcome


def test_the_library_is_accepted_from_its_export() -> None:
    exporter = Exporter(library().kernel)
    exporter.add(library().kernel.base)
    found = check_export(exporter.text().splitlines())
    assert (found.outcome, found.declined) == (Outcome.ACCEPTED, ())
    assert found.accepted > 400


def line_of(lines: list[dict[str, Any]], kind: str) -> Any:
    return next(line[kind] for line in lines if kind in line)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("thm", lambda body, rec: body.update(type=body["value"])),
        ("thm", lambda body, rec: body.update(value=body["type"])),
        ("inductive", lambda body, rec: rec.update(k=not rec["k"])),
        ("inductive", lambda body, rec: rec.update(numMinors=rec["numMinors"] + 1)),
        ("inductive", lambda body, rec: rec.update(type=body["types"][0]["type"])),
        ("inductive", lambda body, rec: rec["rules"].reverse()),
        ("inductive", lambda body, rec: rec["rules"].pop()),
        ("inductive", lambda body, rec: body["ctors"].pop()),
        ("inductive", lambda body, rec: body["ctors"][0].update(numFields=7)),
        ("inductive", lambda body, rec: body["recs"].append(dict(rec, name=body["types"][0]["name"]))),
        ("inductive", lambda body, rec: body["types"][0].update(numParams=3)),
    ],
)
def test_what_is_stated_wrongly_is_refused(kind: str, change: Any) -> None:
    lines = exported("Nat.add_comm")
    body = line_of(lines, kind)
    change(body, body["recs"][0] if kind == "inductive" else None)
    assert check(lines) is Outcome.REFUSED


def test_a_rule_of_the_files_own_is_refused() -> None:
    """The recursor of Bool with both rules giving the first case would prove true = false."""
    lines = exported("Bool")
    rules = line_of(lines, "inductive")["recs"][0]["rules"]
    rules[1]["rhs"] = rules[0]["rhs"]
    assert check(lines) is Outcome.REFUSED


@pytest.mark.parametrize(
    "line",
    [
        {"ie": 0, "sort": 99},
        {"ie": 0, "bvar": -1},
        {"ie": 0, "bvar": True},
        {"ie": 0, "natVal": "-1"},
        {"ie": 0, "natVal": "x"},
        {"ie": 0, "const": {"name": 5, "us": []}},
        {"in": 0, "str": {"pre": 0, "str": "again"}},
        {"il": "1", "succ": 0},
        {"axiom": {"name": 0, "levelParams": [], "type": 0}},
        {"surprise": 1},
        {},
        [],
    ],
)
def test_a_line_out_of_the_format_is_refused(line: Any) -> None:
    assert check([META, line]) is Outcome.REFUSED
    with pytest.raises(BadFile):
        list(declarations([json.dumps(META), json.dumps(line)]))


def test_the_format_must_be_known() -> None:
    assert check([{"ie": 0, "sort": 0}]) is Outcome.REFUSED
    old = {"meta": {"format": {"version": "2.0.0"}}}
    assert "format 2.0.0" in check_export([json.dumps(old)]).detail


def test_what_the_kernel_does_not_do_is_declined_by_name() -> None:
    lines = exported("Nat")
    body = {"name": 1, "levelParams": [], "type": 0, "value": 0}
    lines.append({"def": {**body, "safety": "unsafe", "hints": "opaque"}})
    found = check_export(json.dumps(line) for line in lines)
    assert found.outcome is Outcome.DECLINED and "unsafe" in found.detail and found.accepted == 1


def test_names_are_told_apart() -> None:
    parts: list[tuple[str | int, ...]] = [
        ("a", "b"),
        ("a.b",),
        (1,),
        ("1",),
        ("«1»",),
        ("a", ""),
        ("a",),
        ("a»",),
        ("a».«b",),
        ("a ", "b"),
        ("\0x",),
        ("x",),
    ]
    texts = []
    for each in parts:
        text = ""
        for part in each:
            text = name_text(text, part)
        texts.append(text)
    assert len(set(texts)) == len(parts)
    assert texts[0] == "a.b"


# ---------------------------------------------------------------- mutations
def mutant(lines: list[dict[str, Any]], rng: random.Random) -> list[dict[str, Any]]:
    """One number, name or flag somewhere changed for another that the format allows there."""
    at = rng.randrange(1, len(lines))
    line = json.loads(json.dumps(lines[at]))
    spots: list[tuple[Any, Any]] = []

    def collect(node: Any) -> None:
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            if isinstance(value, (dict, list)):
                collect(value)
            elif key not in ("in", "il", "ie", "binderInfo", "str", "safety"):
                spots.append((node, key))

    collect(line)
    if not spots:
        return lines
    node, key = rng.choice(spots)
    value = node[key]
    if isinstance(value, bool):
        node[key] = not value
    elif isinstance(value, int):
        node[key] = rng.choice([value + 1, max(value - 1, 0), rng.randrange(value + 2)])
    else:
        node[key] = str(rng.randrange(5))
    return [*lines[:at], line, *lines[at + 1 :]]


def replayed(lines: list[dict[str, Any]]) -> KernelEnv | None:
    """The environment of an export that is accepted to its end."""
    env = KernelEnv()
    try:
        for group in declarations(json.dumps(line) for line in lines):
            found = replay(env, group)
            if found.outcome is not Outcome.ACCEPTED:
                return None
            env = found.env
    except (BadFile, TermTooLarge):
        return None
    return env


def test_no_mutant_proves_anything_false() -> None:
    """What is still accepted proves no `False`, and its recursors are those of the families it declares."""
    rng = random.Random(20260)
    sources = [exported(name) for name in SOME]
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


def test_a_proof_proves_its_own_statement_only() -> None:
    """A term has one type up to conversion: under another theorem's statement it is refused."""
    rng = random.Random(7)
    lines = exported(*SOME)
    theorems = [line["thm"] for line in lines if "thm" in line]
    env = replayed(lines)
    assert env is not None
    types = {c.type for c in env.own.values() if c.kind == "theorem"}
    assert len(types) > len(theorems) - 5  # few are stated twice
    accepted = 0
    for _ in range(60):
        target, other = rng.sample(theorems, 2)
        before, target["type"] = target["type"], other["type"]
        accepted += check(lines) is Outcome.ACCEPTED
        target["type"] = before
    assert accepted == 0


# ---------------------------------------------------------------- the command's core
def test_an_arena_knows_what_to_expect_from_its_folders(tmp_path: Path) -> None:
    good, bad = exported("Bool"), exported("Bool")
    rules = line_of(bad, "inductive")["recs"][0]["rules"]
    rules[1]["rhs"] = rules[0]["rhs"]
    for folder, lines in (("good", good), ("bad", bad), ("other", bad)):
        (tmp_path / folder).mkdir()
        text = "\n".join(json.dumps(line) for line in lines)
        (tmp_path / folder / "bool.ndjson").write_text(text, encoding="utf-8")
    rows = list(run_arena(tmp_path, 60.0))
    assert [(row.good, row.found.outcome, row.ok) for row in rows] == [
        (False, Outcome.REFUSED, True),
        (True, Outcome.ACCEPTED, True),
        (None, Outcome.REFUSED, True),
    ]
    assert arena_summary(rows)["wrong"] == 0
    (tmp_path / "good" / "wrong.ndjson").write_text((tmp_path / "bad" / "bool.ndjson").read_text())
    assert arena_summary(list(run_arena(tmp_path, 60.0)))["wrong"] == 1
    with pytest.raises(UserError, match="ndjson"):
        list(run_arena(tmp_path / "good" / "none", 60.0))
