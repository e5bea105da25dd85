"""What is sent to Lean to have a candidate judged, at both levels. Pure.

`harness.lean.verdicts.evidence` reads the answers.

The statement is elaborated first, under a name drawn afresh for each check (the nonce) and before any text of
the model, so nothing in the candidate can change what it means. After the candidate the kernel compares the
types, and `#print axioms` names what the proof stands on. The fast level leaves out the comparison where
nothing of the model stands before our statement, since then there is nothing to compare.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from harness.lean.text.assemble import Assembly, rename_theorem

BARRIER = "example : True := trivial"
"""First line of every trailer: absorbs a dangling `.. in`, `@[..]` or doc comment of the candidate."""

_PREFIX = "audit"


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
    target: tuple[int, int] | None
    """Where the target stands; its one sorry is on the last of these lines. None where there is no target."""
    trailer: int
    """First line of the harness's trailer (the barrier)."""
    last: int
    """Line of `#print axioms`, the last one."""
    check: str
    """The name whose axioms are printed."""

    @property
    def body(self) -> str:
        """The text after the header."""
        return self.text[len(self.header) :]

    @property
    def header_lines(self) -> int:
        """Lines that `body` lacks; its positions are smaller by this many."""
        return self.header.count("\n")


@dataclass(frozen=True, slots=True)
class Stage:
    """One request to a raw REPL."""

    name: str
    """`header`, `holes` (where a problem has answer holes), `target`, `candidate`, `trailer` or `resync`."""
    cmd: str
    on: str | None
    """The stage whose answer's `env` this one is sent with; None for a fresh one (imports allowed)."""
    expects: str = ""
    """What its answer has to name: the checking theorem for `trailer`, the number for `resync`."""


def new_nonce() -> str:
    """128 random bits in 32 hex digits: half for the target's name, half for what follows the candidate."""
    return secrets.token_hex(16)


def fast_file(assembly: Assembly, nonce: str, *, import_first: bool = False) -> CheckFile:
    """The file for the fast level. `nonce` as from `new_nonce`.

    Header, candidate, `#print axioms` of the theorem. Where text of the model stands before our statement it
    is the strict file: only elaboration can tell whether the statement still means the same.
    """
    if assembly.helpers:
        return strict_file(assembly, nonce, import_first=import_first)
    header = service_header(assembly.header) if import_first else assembly.header
    front = _ended(header + assembly.candidate)
    trailer = f"{BARRIER}\n#print axioms _root_.{assembly.name}\n"
    held = header + (assembly.holes if not assembly.supplied else "")
    return replace(_check_file(front, trailer, header, assembly.name), trusted=_lines(held))


def strict_file(assembly: Assembly, nonce: str, *, import_first: bool = False) -> CheckFile:
    """The file for the strict level: header, target, candidate, trailer.

    `import_first` makes the text begin with an import, which Kimina servers need: without one they run the
    next snippet on top of this one.
    """
    header = service_header(assembly.header) if import_first else assembly.header
    name, target = _target(assembly, nonce)
    before = _ended(header + assembly.holes)
    front = before + target
    span = (_lines(before) + 1, _lines(front))
    check = _check_name(nonce)
    rest = assembly.candidate[len(assembly.holes) :]
    trusted = _lines(header) if assembly.supplied else span[1]
    made = _check_file(_ended(front + rest), _trailer(assembly, name, check), header, check)
    return replace(made, target=span, trusted=trusted)


def strict_stages(assembly: Assembly, nonce: str) -> tuple[Stage, ...]:
    """The requests for a raw REPL, in order.

    The name of the checking theorem and the resync number come from the second half of the nonce, which is in
    no request before the candidate has run. `resync` runs on the header's environment and must always be
    sent, also when an earlier stage failed: without it no verdict stands.
    """
    name, target = _target(assembly, nonce)
    check, number = _check_name(nonce), str(int(nonce[16:], 16) % 10**15)
    stages = [Stage("header", assembly.header, None)]
    if assembly.holes.strip():
        stages.append(Stage("holes", assembly.holes, "header"))
    stages.append(Stage("target", target, stages[-1].name))
    stages.append(Stage("candidate", assembly.candidate[len(assembly.holes) :], "target"))
    stages.append(Stage("trailer", _trailer(assembly, name, check), "candidate", check))
    stages.append(Stage("resync", f"#check ({number} : Nat)", "header", number))
    return tuple(stages)


def service_header(header: str) -> str:
    """`header` with its imports on the first lines: comments before them go, a missing import is added.

    A Kimina server takes only blank and import lines at the very top as the header.
    """
    from harness.lean.text.lexer import lex, significant

    first = next(iter(significant(lex(header))), None)
    if first is None or first.text != "import":
        return "import Init\n" + header
    return header[first.start :]


def _target(assembly: Assembly, nonce: str) -> tuple[str, str]:
    """(full name, text) of the target. It stays in the theorem's own namespace: names resolve by it."""
    local = f"{_PREFIX}_{nonce[:16]}_target"
    text = rename_theorem(assembly.target, assembly.problem.theorem, local)
    return ".".join([*assembly.name.split(".")[:-1], local]), _ended(text)


def _check_name(nonce: str) -> str:
    return f"{_PREFIX}_{nonce[16:]}_check"


def _trailer(assembly: Assembly, target: str, check: str) -> str:
    return (
        f"{BARRIER}\n"
        "set_option debug.skipKernelTC false in\n"
        f"theorem _root_.{check} : type_of% @_root_.{target} := @_root_.{assembly.name}\n"
        f"#print axioms _root_.{check}\n"
    )


def _check_file(front: str, trailer: str, header: str, check: str) -> CheckFile:
    """The places in `front + trailer`, without a target and with nothing trusted but the header."""
    text = front + trailer
    return CheckFile(
        text=text,
        header=header,
        leading=_leading(text),
        trusted=_lines(header),
        target=None,
        trailer=_lines(front) + 1,
        last=_lines(text),
        check=check,
    )


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
