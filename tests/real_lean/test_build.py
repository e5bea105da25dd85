"""How the stand-in for `Init` is put together, and that real Lean takes it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.lean.core.library import FOLDER
from tests.real_lean import build as building
from tests.real_lean.build import RealLean, Unavailable
from tests.real_lean.library import PRIVATE, core_lemmas, declarations
from tests.real_lean.symbols import Parser, Rule, macro_stubs, mangled, parser_stubs, rules, unmangled


@pytest.mark.parametrize(
    ("part", "symbol"),
    [("term_∧_", "term___u2227__"), ("stx_,*", "stx___x2c_x2a"), ("plain", "plain"), ("𝔸", "_U0001d538")],
)
def test_names_in_symbols(part: str, symbol: str) -> None:
    assert mangled(part) == symbol
    assert unmangled(symbol) == part


@pytest.mark.parametrize(
    ("kind", "category"),
    [
        ("term_∧_", "term"),
        ("Lean.Parser.Tactic.rcases", "tactic"),
        ("Lean.Parser.Tactic.mintroPat_", "mintroPat"),
        ("Lean.Parser.Tactic.Conv.lhs", "conv"),
        ("Lean.Parser.Tactic.Conv.conv", "tactic"),
        ("Lean.Parser.Tactic.rcasesPat.one", "rcasesPat"),
        ("Lean.guardMsgsCmd", "command"),
    ],
)
def test_categories_come_from_names(kind: str, category: str) -> None:
    assert Parser(tuple(kind.split(".")), trailing=False, registered=True).category == category


def test_a_macro_is_registered_for_its_kind_in_the_order_of_numbers() -> None:
    known = [Parser(("term_∧_",), trailing=True, registered=True)]
    stem = "l___aux__Init__Notation______macroRules__term___u2227____"
    found = rules([("T", stem + "2"), ("T", stem + "1"), ("T", "l_other")], "macroRules")
    assert [rule.number for rule in found] == [1, 2]
    assert found[0] == Rule(("_aux_Init_Notation___macroRules_term_∧__1",), "term_∧_", 1)
    assert "attribute [macro «term_∧_»] «_aux_Init_Notation___macroRules_term_∧__1»" in macro_stubs(
        found, known
    )
    assert "attribute [term_parser 1000] «term_∧_»" in parser_stubs(known)


def test_what_the_parts_declare_is_left_out_of_the_lemmas() -> None:
    text = "structure And (a b : Prop) where\n  left : a\n@[simp] theorem id_eq (a : α) : id a = a := rfl\n"
    known = declarations(text + "gen_injective_theorems% Nat\n")
    assert {"And", "And.left", "id_eq", "Nat.succ.inj", "Nat.succ.injEq"} <= known
    lemmas = core_lemmas(known)
    assert "theorem And.left " not in lemmas and "theorem Nat.succ.inj " not in lemmas
    assert "theorem And.symm " in lemmas


def test_a_machine_without_a_compiler_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building.sys, "platform", "darwin")
    with pytest.raises(Unavailable, match="Linux on x86_64"):
        building.build(tmp_path / "home")
    assert not building.ready(tmp_path / "home")


def test_a_finished_build_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = building.sources_digest()
    (tmp_path / building.MANIFEST).write_text(f'{{"digest": "{digest}"}}')
    monkeypatch.setattr(building, "_check_machine", lambda: pytest.fail("nothing is left to build"))
    assert building.build(tmp_path).lean == tmp_path / "bin" / "lean"


@pytest.mark.real_lean
def test_a_plain_file_needs_no_header(real_lean: RealLean, tmp_path: Path) -> None:
    file = tmp_path / "Plain.lean"
    file.write_text("theorem swap (p q : Prop) (h : p ∧ q) : q ∧ p := ⟨h.2, h.1⟩\n#print axioms swap\n")
    done = subprocess.run([real_lean.lean, file], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "'swap' does not depend on any axioms\n")


@pytest.mark.real_lean
@pytest.mark.parametrize("name", sorted(PRIVATE))
def test_the_lemmas_of_the_core_s_own_tactics_hold(real_lean: RealLean, name: str) -> None:
    """The rest of the core's library is compiled into `Init`; a lemma refused there fails the build."""
    done = subprocess.run([real_lean.lean, FOLDER / name], capture_output=True, text=True)
    assert (done.returncode, done.stdout.count("error")) == (0, 0), done.stdout
