"""What is sent to Lean to have a candidate judged, at both levels. Pure; `harness.lean.evidence` reads the answers.

The statement is elaborated first, under a name drawn afresh for each check (the nonce) and before any text of the
model, so that nothing in the candidate can change what it means. After the candidate the kernel compares the
types, and `#print axioms` names what the proof stands on.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.lean.assemble import Assembly


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
    target: tuple[int, int] | None
    """Where the target with its one sorry stands; None at the fast level for a candidate without helpers."""
    trailer: int | None
    """First line of the harness's trailer; None where there is none."""
    last: int | None
    """Line of `#print axioms`; None at the fast level."""
    check: str
    """Name of the checking theorem, empty where there is none."""

    @property
    def body(self) -> str:
        """The text after the header."""
        return self.text[len(self.header) :]


@dataclass(frozen=True, slots=True)
class Stage:
    """One request to a raw REPL."""

    name: str
    """`header`, `target`, `candidate`, `trailer` or `resync`."""
    cmd: str
    on: str | None
    """The stage whose answer's `env` this one is sent with; None for a fresh environment (imports allowed)."""


# Signatures (code follows in this file):
#   new_nonce() -> str                                      64 random bits as hex
#   fast_file(assembly, nonce) -> CheckFile
#   strict_file(assembly, nonce) -> CheckFile
#   strict_stages(assembly, nonce) -> tuple[Stage, ...]     header, target, candidate, trailer, resync
# harness/lean/evidence.py:
#   refusal(assembly, level) -> Verdict | None              call first; send nothing when it is a verdict
#   judge_fast(assembly, sheet, reply) -> Verdict           reply to sheet.text (or sheet.body: pass body=True)
#   judge_strict(assembly, sheet, reply) -> Verdict
#   judge_stages(assembly, stages, replies) -> Verdict      replies as far as they came, in order
#   judge_result(...), http_verdict(status, detail) -> Verdict
