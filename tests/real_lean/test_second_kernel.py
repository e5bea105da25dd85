"""The second kernel on files that real Lean compiled: no forgery that Lean lets through is proved.

Each source is compiled as it stands, without screen or audit, and judged from its compiled file: what is
tested is the last line of defence alone. `CLAIM` is the statement of `foo`, which is false.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import struct
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median

import pytest

from harness.benchmarks.loading import load
from harness.lean.compiled import judge as judging
from harness.lean.compiled.judge import CompiledProof, JudgedAs, Judgement, judge, replay_module
from harness.lean.compiled.library import Library, index_of
from harness.lean.compiled.replay import Outcome
from harness.lean.core.nodes import shared_terms
from harness.lean.text.assemble import assemble
from harness.lean.verdicts.external import stated_text
from tests.lean.compiled import writing
from tests.lean.compiled.claims import WRONG, sorry
from tests.lean.compiled.test_judge import CHECK, FORGERIES
from tests.lean.compiled.writing import theorem
from tests.real_lean.build import RealLean
from tests.real_lean.conftest import Figures
from tests.shares import of_gold_proofs

pytestmark = pytest.mark.real_lean

MUTANTS = 1_000
"""Ten times as many in full."""

SIZE = 200
"""Gold proofs in one file."""

PROGRAM = Path(judging.__file__).with_name("Recheck.lean")

CLAIM = "1 = 2"
SKIP = "set_option debug.skipKernelTC true in"
CHEAT = f"{SKIP} decide +kernel"
"""The elaborator leaves the deciding to the kernel, which is told not to look."""

FALSE = f"theorem bad : False := by {CHEAT}"

SKIPPED = {
    "in the proof": f"theorem foo : {CLAIM} := by {CHEAT}",
    "before the command": f"{SKIP}\ntheorem foo : {CLAIM} := by decide +kernel",
    "for the file": f"set_option debug.skipKernelTC true\ntheorem foo : {CLAIM} := by decide +kernel",
    "in a section": "section\nset_option debug.skipKernelTC true\n"
    f"theorem bad : {CLAIM} := by decide +kernel\nend\ntheorem foo : {CLAIM} := bad",
    "in a term": f"theorem foo : {CLAIM} := (by {CHEAT})",
    "in a have": f"theorem foo : {CLAIM} := by\n  have h : {CLAIM} := by {CHEAT}\n  exact h",
    "in a let": f"theorem foo : {CLAIM} := by\n  let h : {CLAIM} := by {CHEAT}\n  exact h",
    "in a show": f"theorem foo : {CLAIM} := show {CLAIM} by {CHEAT}",
    "in a suffices": f"theorem foo : {CLAIM} := by\n  suffices h : False from h.elim\n  {CHEAT}",
    "helper": f"theorem bad : {CLAIM} := by {CHEAT}\ntheorem foo : {CLAIM} := bad",
    "helper of another claim": f"theorem bad : 0 = 1 := by {CHEAT}\n"
    f"theorem foo : {CLAIM} := congrArg Nat.succ bad",
    "helper of False": f"{FALSE}\ntheorem foo : {CLAIM} := bad.elim",
    "helper used by absurd": f"{FALSE}\ntheorem foo : {CLAIM} := absurd bad id",
    "helper used by cases": f"{FALSE}\ntheorem foo : {CLAIM} := by cases bad",
    "helper used by exfalso": f"{FALSE}\ntheorem foo : {CLAIM} := by exfalso; exact bad",
    "helper used by contradiction": f"{FALSE}\ntheorem foo : {CLAIM} := by have := bad; contradiction",
    "helper used by simp": f"theorem bad : (1 = 2) = True := by {CHEAT}\n"
    f"theorem foo : {CLAIM} := by simp only [bad]",
    "helper used by rw": f"theorem bad : 1 = 2 := by {CHEAT}\ntheorem foo : {CLAIM} := by rw [← bad]",
    "helper that is private": f"private theorem bad : {CLAIM} := by {CHEAT}\ntheorem foo : {CLAIM} := bad",
    "helper in a namespace": f"namespace A.B\ntheorem bad : {CLAIM} := by {CHEAT}\nend A.B\n"
    f"theorem foo : {CLAIM} := A.B.bad",
    "helper that is a definition": f"def bad : {CLAIM} := by {CHEAT}\ntheorem foo : {CLAIM} := bad",
    "helper that is an abbreviation": f"abbrev bad : {CLAIM} := by {CHEAT}\ntheorem foo : {CLAIM} := bad",
    "helper behind helpers": f"{FALSE}\ntheorem b : False := bad\ntheorem c : False := b\n"
    f"theorem d : False := c\ntheorem foo : {CLAIM} := d.elim",
    "helper with arguments": f"theorem bad (n : Nat) (h : n = 0) : {CLAIM} := by subst h; {CHEAT}\n"
    f"theorem foo : {CLAIM} := bad 0 rfl",
    "helper for all": f"theorem bad : ∀ p : Prop, p := fun p => (by {CHEAT} : False).elim\n"
    f"theorem foo : {CLAIM} := bad _",
    "helper of a universe": f"theorem bad.{{u}} (α : Sort u) : ∀ _ : α, False := fun _ => by {CHEAT}\n"
    f"theorem foo : {CLAIM} := (bad Nat 0).elim",
    "helper in a structure": f"structure S where\n  h : {CLAIM}\ndef s : S := ⟨by {CHEAT}⟩\n"
    f"theorem foo : {CLAIM} := s.h",
    "helper in a class": f"class C : Prop where\n  h : {CLAIM}\ninstance : C := ⟨by {CHEAT}⟩\n"
    f"theorem foo : {CLAIM} := C.h",
    "helper in a pair": f"def p : PProd ({CLAIM}) Nat := ⟨by {CHEAT}, 0⟩\ntheorem foo : {CLAIM} := p.1",
    "helper in a subtype": f"def p : {{n : Nat // n = n ∧ {CLAIM}}} := ⟨0, by {CHEAT}⟩\n"
    f"theorem foo : {CLAIM} := p.2.2",
    "helper by recursion": f"theorem bad : ∀ n : Nat, {CLAIM}\n  | 0 => by {CHEAT}\n  | n + 1 => bad n\n"
    f"theorem foo : {CLAIM} := bad 3",
    "helper by match": f"theorem bad (n : Nat) : {CLAIM} :=\n  match n with\n  | 0 => by {CHEAT}\n"
    f"  | _ + 1 => by {CHEAT}\ntheorem foo : {CLAIM} := bad 3",
    "false lemma of numbers": f"theorem bad : ∀ n, n < 3 → n = 7 := by {CHEAT}\n"
    f"theorem foo : {CLAIM} := congrArg Nat.succ ((bad 0 (by decide)).trans (bad 1 (by decide)).symm)",
    "large numbers": f"theorem bad : 1000000 * 1000000 = 7 := by {CHEAT}\n"
    f"theorem foo : {CLAIM} := absurd bad (by decide)",
    "false of Bool": f"theorem bad : true = false := by {CHEAT}\ntheorem foo : {CLAIM} := nomatch bad",
}
AXIOMS = {
    "axiom": f"axiom bad : {CLAIM}\ntheorem foo : {CLAIM} := bad",
    "private axiom": f"private axiom bad : {CLAIM}\ntheorem foo : {CLAIM} := bad",
    "axiom of False": f"axiom bad : False\ntheorem foo : {CLAIM} := bad.elim",
    "axiom in a namespace": f"namespace propext\naxiom sound : {CLAIM}\nend propext\n"
    f"theorem foo : {CLAIM} := propext.sound",
    "axiom with a name that looks right": f"axiom Classical.choice' : False\n"
    f"theorem foo : {CLAIM} := Classical.choice'.elim",
    "axiom in a definition": f"axiom bad : {CLAIM}\ndef d (_ : Nat) : {CLAIM} := bad\n"
    f"theorem foo : {CLAIM} := d 0",
    "axiom in a structure": f"structure S where\n  h : {CLAIM}\naxiom s : S\ntheorem foo : {CLAIM} := s.h",
    "axiom as an instance": f"class C : Prop where\n  h : {CLAIM}\n@[instance] axiom c : C\n"
    f"theorem foo : {CLAIM} := C.h",
    "axiom for a type": f"axiom T : Type\naxiom t : T\naxiom out : T → {CLAIM}\n"
    f"theorem foo : {CLAIM} := out t",
    "sorry": f"theorem foo : {CLAIM} := sorry",
    "sorry in a helper": f"theorem bad : False := sorry\ntheorem foo : {CLAIM} := bad.elim",
    "sorry in a definition": f"def d : {CLAIM} := by sorry\ntheorem foo : {CLAIM} := d",
    "sorryAx": f"theorem foo : {CLAIM} := sorryAx _ false",
}
STATEMENTS = {
    "another statement": "theorem foo : 1 = 1 := rfl",
    "a hypothesis": f"theorem foo (h : False) : {CLAIM} := h.elim",
    "an implicit hypothesis": f"theorem foo {{h : False}} : {CLAIM} := h.elim",
    "a section's hypothesis": f"variable (h : False)\ninclude h\ntheorem foo : {CLAIM} := h.elim",
    "an instance": f"class Bad : Prop where\n  h : False\nvariable [b : Bad]\ninclude b\n"
    f"theorem foo : {CLAIM} := b.h.elim",
    "in a namespace": "namespace A\ntheorem foo : 1 = 1 := rfl\nend A",
    "a definition": "def foo : 1 = 1 := rfl",
    "an axiom": f"axiom foo : {CLAIM}",
    "nothing": "theorem other : 1 = 1 := rfl",
    "numbers of its own": f"instance (priority := 2000) bad (n : Nat) : OfNat Nat n := ⟨0⟩\n"
    f"theorem foo : {CLAIM} := rfl",
    "an order of its own": "theorem foo : 2 = 1 → 1 = 2 := Eq.symm",
    "for all": f"theorem foo : ∀ h : False, {CLAIM} := fun h => h.elim",
    "in another universe": "theorem foo.{u} (α : Sort u) : α = α := rfl",
    "an equation of its own": "def Eq' (_ _ : Nat) := True\ntheorem foo : Eq' 1 2 := trivial",
}
HONEST = {
    "rfl": ("2 + 2 = 4", "theorem foo : 2 + 2 = 4 := rfl"),
    "decide": ("2 ^ 20 = 1048576", "theorem foo : 2 ^ 20 = 1048576 := by decide"),
    "decide in the kernel": ("2 ^ 20 = 1048576", "theorem foo : 2 ^ 20 = 1048576 := by decide +kernel"),
    "simp": ("∀ xs : List Nat, xs ++ [] = xs", "theorem foo : ∀ xs : List Nat, xs ++ [] = xs := by simp"),
    "helper": ("1 + 1 = 2", "theorem h : 1 + 1 = 2 := rfl\ntheorem foo : 1 + 1 = 2 := h"),
    "structure": (
        "∀ n : Nat, n = n",
        "structure P where\n  a : Nat\n  b : a = a\n"
        "theorem foo : ∀ n : Nat, n = n := fun n => (P.mk n rfl).b",
    ),
    "recursion": (
        "∀ n : Nat, 0 + n = n",
        "theorem foo : ∀ n : Nat, 0 + n = n\n  | 0 => rfl\n  | n + 1 => congrArg Nat.succ (foo n)",
    ),
    "mutual families of its own": (
        "True",
        "mutual\ninductive E : Type where\n  | z\n  | s : O → E\n"
        "inductive O : Type where\n  | s : E → O\nend\n"
        "theorem h : ∀ e : E, e = e := fun _ => rfl\ntheorem foo : True := (fun _ => trivial) (h .z)",
    ),
    "nested family of its own": (
        "True",
        "inductive T : Type where\n  | node : List T → T\n"
        "theorem foo : True := (fun (_ : T.node [] = T.node []) => trivial) rfl",
    ),
    "classical": ("∀ p : Prop, p ∨ ¬p", "theorem foo : ∀ p : Prop, p ∨ ¬p := Classical.em"),
    "eta": (
        "∀ p : Nat × Nat, (p.1, p.2) = p",
        "theorem foo : ∀ p : Nat × Nat, (p.1, p.2) = p := fun _ => rfl",
    ),
}


class Ground:
    """Real Lean, its library's index, and a place for files."""

    def __init__(self, lean: RealLean, folder: Path) -> None:
        self.lean, self.folder, self.count = lean, folder, 0
        self.root = lean.home / "lib" / "lean"
        self.library = Library(index_of([self.root], ["Init"], folder / "indexes"))

    def compiled(self, text: str, search: Path | None = None) -> Path | None:
        """The compiled file of a source, None when Lean leaves none; `search`: where more modules lie."""
        self.count += 1
        place = self.folder / str(self.count)
        place.mkdir()
        (place / "Judged.lean").write_text(text, encoding="utf-8")
        argv = [str(self.lean.lean), "-o", "Judged.olean", "Judged.lean"]
        more = {} if search is None else {"LEAN_PATH": str(search)}
        subprocess.run(argv, cwd=place, env={**os.environ, **more}, capture_output=True, timeout=120)
        return place / "Judged.olean" if (place / "Judged.olean").is_file() else None

    def target(self, statement: str) -> Path:
        """The statement compiled alone."""
        found = self.compiled(f"theorem foo : {statement} := sorry\n")
        assert found is not None
        return found

    def judged(self, target: Path, candidate: Path, check: str = "foo") -> Judgement:
        """What the second kernel finds."""
        return judge(self.library, CompiledProof(target, "foo", candidate, check), 60.0)


@pytest.fixture(scope="module")
def ground(real_lean: RealLean, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return Ground(real_lean, tmp_path_factory.mktemp("ground"))


@pytest.mark.parametrize("kind", ["skipped", "axioms", "statements"])
def test_no_forgery_that_lean_compiles_is_proved(kind: str, ground: Ground) -> None:
    sources = {"skipped": SKIPPED, "axioms": AXIOMS, "statements": STATEMENTS}[kind]
    expected = {
        "skipped": {JudgedAs.REFUSED},
        "axioms": {JudgedAs.AXIOMS, JudgedAs.SORRY},
        "statements": {JudgedAs.STATEMENT},
    }[kind]
    target, compiled = ground.target(CLAIM), 0
    for name, source in sources.items():
        candidate = ground.compiled(source + "\n")
        if candidate is None:
            continue
        compiled += 1
        found = ground.judged(target, candidate)
        assert found.found in expected, (name, found)
    assert compiled >= len(sources) - 2, compiled


@pytest.mark.parametrize("name", HONEST)
def test_honest_proofs_are_proved(name: str, ground: Ground) -> None:
    statement, source = HONEST[name]
    candidate = ground.compiled(source + "\n")
    assert candidate is not None
    found = ground.judged(ground.target(statement), candidate)
    assert found.found is JudgedAs.PROVED, found


NUMBERS = """
theorem Nat.div_add_mod (m k : Nat) : k * (m / k) + m % k = m := sorry
theorem Nat.mod_lt (x : Nat) {y : Nat} : y > 0 → x % y < y := sorry
theorem Nat.div_zero (b : Nat) : b / 0 = 0 := sorry
theorem Nat.mod_zero (a : Nat) : a % 0 = a := sorry
"""
"""As Lean's own library states them, for the numbers of ours; whoever imports a library trusts it."""
DIVIDED = "1000000007 / 97 = 10309278 ∧ 1000000007 % 97 = 41"


@pytest.mark.parametrize(("facts", "found"), [(NUMBERS, JudgedAs.PROVED), ("", JudgedAs.OUT_OF_TIME)])
def test_division_is_computed_where_the_library_states_its_theorems(
    facts: str, found: JudgedAs, ground: Ground, tmp_path: Path
) -> None:
    """Nothing of the library's theorems is used in the proof: they say what division is."""
    numbers = ground.compiled(facts)
    assert numbers is not None
    shutil.copyfile(numbers, tmp_path / "Numbers.olean")
    head = f"import Numbers\ntheorem foo : {DIVIDED} := "
    target, candidate = (ground.compiled(head + p, tmp_path) for p in ("sorry", "⟨by decide +kernel, rfl⟩"))
    assert target is not None and candidate is not None
    roots = [tmp_path, ground.root]
    library = Library(index_of(roots, ["Init", "Numbers"], tmp_path / "indexes"))
    assert judge(library, CompiledProof(target, "foo", candidate, "foo"), 600.0, steps=200_000).found is found


@pytest.fixture
def as_lean_writes(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    version, commit = ground.library.version().split()
    monkeypatch.setattr(writing, "VERSION", version.encode())
    monkeypatch.setattr(writing, "COMMIT", commit.encode())


def test_no_file_written_by_hand_is_proved(ground: Ground, tmp_path: Path, as_lean_writes: None) -> None:
    """The forgeries of the kernel's own tests, over real Lean's library and under its version."""
    target = writing.write_module(tmp_path / "t.olean", [theorem("foo", WRONG, sorry(WRONG))])
    for name, (constants, _) in FORGERIES.items():
        candidate = writing.write_module(tmp_path / "c.olean", constants)
        found = ground.judged(target, candidate, CHECK)
        assert found.found is not JudgedAs.PROVED, (name, found)


def test_no_mutated_file_is_proved(ground: Ground, tmp_path: Path, figures: Figures, in_full: bool) -> None:
    target, rng = ground.target(CLAIM), random.Random(5)
    mutants = MUTANTS * (10 if in_full else 1)
    sources = [*SKIPPED.values(), *AXIOMS.values(), *STATEMENTS.values()]
    good = [found.read_bytes() for source in sources if (found := ground.compiled(source + "\n"))]
    place = tmp_path / "Judged.olean"
    worst = 0.0
    for _ in range(mutants):
        place.write_bytes(mutated(rng.choice(good), rng))
        started = time.process_time()
        assert ground.judged(target, place).found is not JudgedAs.PROVED
        worst = max(worst, time.process_time() - started)
    figures.add(f"{mutants} mutated files: 0 proved, the slowest {1000 * worst:.0f} ms")


def mutated(data: bytes, rng: random.Random) -> bytes:
    """A compiled file with some pointers, words or bytes changed."""
    out = bytearray(data)
    (base,) = struct.unpack_from("<Q", data, 80)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        at = 88 + rng.randrange((len(data) - 88) // 8) * 8
        pick = rng.random()
        if pick < 0.4:
            out[at : at + 8] = struct.pack("<Q", base + 8 * rng.randrange(len(data) // 8))
        elif pick < 0.6:
            other = 96 + 8 * rng.randrange((len(data) - 96) // 8)
            out[at : at + 8] = out[other : other + 8]
        else:
            out[at + rng.randrange(8)] = rng.randrange(256)
    return bytes(out)


def test_the_whole_library_is_accepted_but_for_what_lean_does_not_check(ground: Ground) -> None:
    with shared_terms():
        rows = list(replay_module(ground.library.before("Init"), ground.library.module("Init"), 2_000_000))
    assert len(rows) > 2000
    left = [(name, outcome, detail) for name, outcome, detail in rows if outcome is not Outcome.ACCEPTED]
    assert all(outcome is Outcome.DECLINED and "unsafe" in detail for _, outcome, detail in left), left


def test_gold_proofs_without_omega_are_proved(ground: Ground, figures: Figures, in_full: bool) -> None:
    """From compiled files, a few hundred theorems in each; each theorem is judged by itself."""
    problems = [p for name in ("smoke", "core-curriculum") for p in load(name, "all")]
    proved = [p for p in problems if p.gold and "omega" not in p.gold]
    golden = [assemble(p, p.gold or "") for p in (proved if in_full else of_gold_proofs(proved))]
    seconds: dict[str, list[float]] = {}
    left: list[str] = []
    for start in range(0, len(golden), SIZE):
        chunk = list(enumerate(golden[start : start + SIZE]))
        target = ground.compiled(_file((n, stated_text(a)[len(a.header) :]) for n, a in chunk))
        candidate = ground.compiled(_file((n, a.candidate) for n, a in chunk))
        assert target is not None and candidate is not None
        for number, assembly in chunk:
            name = f"N{number}.{assembly.name}"
            found = judge(ground.library, CompiledProof(target, name, candidate, name), 60.0)
            if found.found is not JudgedAs.PROVED:
                left.append(f"{assembly.problem.id}: {found.found} {found.detail}")
            for step, spent in found.seconds.items():
                seconds.setdefault(step, []).append(spent)
    medians = ", ".join(f"{step} {1000 * median(spent):.1f}" for step, spent in seconds.items())
    figures.add(f"{len(golden) - len(left)} of {len(golden)} gold proofs proved from compiled files")
    figures.add(f"median ms a proof: {medians}; slowest replay {1000 * max(seconds['replay']):.0f}")
    assert not left


def _file(parts: Iterable[tuple[int, str]]) -> str:
    text = "set_option linter.all false\n"
    return text + "".join(f"namespace N{number}\n{part}\nend N{number}\n" for number, part in parts)


def test_lean_can_read_the_program_that_judges_with_lean_s_own_kernel(
    real_lean: RealLean, tmp_path: Path
) -> None:
    """Its types are not to be had here, so it cannot run; but every command of it is parsed."""
    text = PROGRAM.read_text(encoding="utf-8")
    broken = text.replace(":= do", ":= := do", 1)
    assert broken != text
    for source, wrong in ((text, False), (broken, True)):
        (tmp_path / "Recheck.lean").write_text(re.sub("^import .*$", "", source, flags=re.MULTILINE))
        argv = [real_lean.lean, "-DmaxErrors=0", tmp_path / "Recheck.lean"]
        said = subprocess.run(argv, capture_output=True, text=True, timeout=120).stdout
        assert "unknown" in said.lower()  # it got to elaborate
        assert bool(re.search("error: (?:unexpected|expected)", said)) is wrong
