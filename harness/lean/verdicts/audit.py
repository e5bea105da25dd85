"""What is sent to Lean to have a candidate judged, at both levels. Pure.

`harness.lean.verdicts.evidence` reads the answers; `tests/attacks/README.md` tells why the order is this.

The statement is elaborated first, under a name drawn afresh for each check (the nonce) and before any text of
the model, so nothing in the candidate can change what it means. The candidate stands in a section of a drawn
name. Then every scope is closed, so that no variable of the candidate or of the header can enter the check;
the kernel compares the types, `#check` prints both, and `#print axioms` names what the proof stands on. The
fast level leaves out the comparison where nothing of the model stands before our statement, since then there
is nothing to compare.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from harness.lean.text.assemble import Assembly, rename_theorem
from harness.lean.text.commands import code_of
from harness.lean.text.lexer import lex, significant
from harness.lean.text.scopes import name_parts, scopes_of

BARRIER = "example : True := trivial"
"""First line of every trailer: absorbs a dangling `.. in`, `@[..]` or doc comment of the candidate."""

_PREFIX = "_audit"
"""A leading `_` hides the target from `exact?`, `apply?` and `rw?`, which would else propose it."""

_PRINT_STEPS = 2000
"""Steps of the printed types, which are cut alike: Kimina 2.0.0 takes no more than 64 KiB a message."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Where the trailer's parts stand, as 1-based lines of the text that holds it, and the names in it."""

    barrier: int
    """The first line of the trailer."""
    check: int
    """From here on nothing of the candidate is in scope."""
    types: tuple[int, int] | None
    """Where the types of target and check are printed; None where nothing is compared."""
    axioms: int
    """Line of `#print axioms`, the last one."""
    target: str
    """The target's name from the root; empty where nothing is compared."""
    name: str
    """The name whose axioms are printed, from the root."""

    def moved(self, lines: int) -> Marks:
        """The same marks in a text that has `lines` lines before the trailer."""
        types = None if self.types is None else (self.types[0] + lines, self.types[1] + lines)
        return replace(
            self,
            barrier=self.barrier + lines,
            check=self.check + lines,
            types=types,
            axioms=self.axioms + lines,
        )


@dataclass(frozen=True, slots=True)
class CheckFile:
    """One text for a service that takes whole files, with the places where evidence has to appear.

    Lines are 1-based and counted in `text`; spans are (first, last), both included.
    """

    text: str
    header: str
    """`text` starts with it; a REPL worker imports it once and is then sent `body`."""
    leading: int
    """Blank and import lines that a Kimina server splits off; positions may or may not count them."""
    trusted: int
    """Last line without text of the model (header, known answers, target); an error up to here is ours."""
    written: int
    """Offset in `text` of `Assembly.written`, the part that comes of the answer."""
    target: tuple[int, int] | None
    """Where the target stands; its one sorry is on the last of these lines. None where there is no target."""
    marks: Marks

    @property
    def body(self) -> str:
        """The text after the header."""
        return self.text[len(self.header) :]

    @property
    def header_lines(self) -> int:
        """Lines that `body` lacks; its positions are smaller by this many."""
        return self.header.count("\n")


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """One request to a raw REPL."""

    name: str
    """`header`, `holes` (where a problem has answer holes), `target`, `candidate`, `trailer` or `resync`."""
    cmd: str
    on: str | None
    """The stage whose answer's `env` this one is sent with; None for a fresh one (imports allowed)."""
    expects: str = ""
    """The number that the answer to `resync` has to name."""
    marks: Marks | None = None
    """Of the trailer: where its answers have to appear."""


def new_nonce() -> str:
    """192 random bits in 48 hex digits, a third each for the target, the section and what comes last."""
    return secrets.token_hex(24)


def fast_file(assembly: Assembly, nonce: str, *, import_first: bool = False) -> CheckFile:
    """The file for the fast level. `nonce` as from `new_nonce`.

    Header, candidate, `#print axioms` of the theorem. Where text of the model stands before our statement it
    is the strict file: only elaboration can tell whether the statement still means the same.
    """
    if assembly.helpers:
        return strict_file(assembly, nonce, import_first=import_first)
    header = service_header(assembly.header) if import_first else assembly.header
    front = _ended(header + assembly.candidate)
    text = f"{front}{BARRIER}\n#print axioms _root_.{assembly.name}\n"
    marks = Marks(1, 2, None, 2, "", assembly.name).moved(_lines(front))
    held = header + (assembly.holes if not assembly.supplied else "")
    begin = len(header) + assembly.front
    return CheckFile(text, header, _leading(text), _lines(held), begin, None, marks)


def strict_file(assembly: Assembly, nonce: str, *, import_first: bool = False) -> CheckFile:
    """The file for the strict level: header, target, candidate in its section, trailer.

    `import_first` makes the text begin with an import, which Kimina servers need: without one they run the
    next snippet on top of this one.
    """
    header = service_header(assembly.header) if import_first else assembly.header
    name, target = _target(assembly, nonce)
    before = _ended(header + assembly.holes)
    front = before + target
    opened = front + _section(nonce)
    closed = _ended(opened + assembly.candidate[len(assembly.holes) :])
    trailer, marks = _trailer(assembly, name, nonce)
    text = closed + trailer
    return CheckFile(
        text=text,
        header=header,
        leading=_leading(text),
        trusted=_lines(header) if assembly.supplied else _lines(opened),
        written=len(opened) + assembly.front - len(assembly.holes),
        target=(_lines(before) + 1, _lines(front)),
        marks=marks.moved(_lines(closed)),
    )


def strict_stages(assembly: Assembly, nonce: str) -> tuple[AuditRequest, ...]:
    """The requests for a raw REPL, in order.

    The name of the checking theorem and the resync number come from the last third of the nonce, which is in
    no request before the candidate has run; the section's name is in none before the candidate is fixed.
    `resync` runs on the header's environment and must always be sent, also when an earlier stage failed:
    without it no verdict stands.
    """
    name, target = _target(assembly, nonce)
    number = str(int(nonce[32:], 16) % 10**15)
    trailer, marks = _trailer(assembly, name, nonce)
    stages = [AuditRequest("header", assembly.header, None)]
    if assembly.holes.strip():
        stages.append(AuditRequest("holes", assembly.holes, "header"))
    stages.append(AuditRequest("target", target + _section(nonce), stages[-1].name))
    # What the candidate leaves dangling must not meet the end of its request either.
    given = _ended(assembly.candidate[len(assembly.holes) :]) + BARRIER
    stages.append(AuditRequest("candidate", given, "target"))
    stages.append(AuditRequest("trailer", trailer, "candidate", marks=marks))
    stages.append(AuditRequest("resync", f"#check ({number} : Nat)", "header", number))
    return tuple(stages)


def service_header(header: str) -> str:
    """`header` with its imports on the first lines: comments before them go, a missing import is added.

    A Kimina server takes only blank and import lines at the very top as the header.
    """
    first = next(iter(significant(lex(header))), None)
    if first is None or first.text != "import":
        return "import Init\n" + header
    return header[first.start :]


def _target(assembly: Assembly, nonce: str) -> tuple[str, str]:
    """(full name, text) of the target. It stays in the theorem's own namespace: names resolve by it."""
    local = f"{_PREFIX}_{nonce[:16]}_target"
    text = rename_theorem(assembly.target, assembly.problem.theorem, local)
    return ".".join([*name_parts(assembly.stated_name)[:-1], local]), _ended(text)


def _section_name(nonce: str) -> str:
    return f"{_PREFIX}_{nonce[16:32]}"


def _section(nonce: str) -> str:
    return f"section {_section_name(nonce)}\n"


def _trailer(assembly: Assembly, target: str, nonce: str) -> tuple[str, Marks]:
    """The trailer and its marks, lines counted from its own first line.

    The candidate's scopes, its section and those of the header are closed before the check: an `end` that
    does not fit is an error, so none of them can be kept open unseen.
    """
    check = f"{_PREFIX}_{nonce[32:]}_check"
    given = scopes_of(code_of(assembly.candidate[len(assembly.holes) :]))
    around = scopes_of(code_of(assembly.header + assembly.holes))
    closing = f"{BARRIER}\n{given.ends}end {_section_name(nonce)}\n{around.ends}"
    printed = f"set_option pp.maxSteps {_PRINT_STEPS} in\nset_option pp.all true in\n#check @_root_."
    text = (
        f"{closing}"
        "set_option debug.skipKernelTC false in\n"
        f"theorem _root_.{check} : type_of% @_root_.{target} := @_root_.{assembly.name}\n"
        f"{printed}{target}\n"
        f"{printed}{check}\n"
        f"#print axioms _root_.{check}\n"
    )
    last = _lines(text)
    return text, Marks(1, _lines(closing) + 1, (last - 4, last - 1), last, target, check)


def _leading(text: str) -> int:
    """How many lines at the top are blank or imports."""
    count = 0
    for line in text.split("\n"):
        if line.strip() and not line.strip().startswith("import "):
            break
        count += 1
    return count


def _lines(text: str) -> int:
    return text.count("\n")


def _ended(text: str) -> str:
    """`text` with a newline at its end; empty stays empty."""
    return text if not text or text.endswith("\n") else text + "\n"
