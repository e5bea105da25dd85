"""From Lean's answers to verdicts. Pure, and on positive evidence only: what is missing proves nothing.

A `PROVED` at either level needs an answer to the very request, without errors, without a sorry outside our
own target, with exactly one axiom report in the place where the harness asked for it, on allowed axioms.
Errors of the candidate are `REJECTED`. Everything else that goes wrong is the machine's: `INFRA`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.lean.text.assemble import Assembly
from harness.lean.verdicts.audit import AuditRequest, CheckFile, Marks
from harness.lean.verdicts.faults import Shown, faults
from harness.lean.verdicts.replies import Note, Reply, ReplyKind, Result, in_step
from harness.types import Level, Status, Verdict

ALLOWED_AXIOMS = frozenset({"propext", "Classical.choice", "Quot.sound"})
"""What a proof may stand on: the axioms of Lean's classical logic."""

REPL_CHECKED = "repl-checked"


def refusal(assembly: Assembly, level: Level) -> Verdict | None:
    """The verdict on a candidate that must not be sent, else None. Ask this first."""
    if assembly.refused is None:
        return None
    return Verdict(Status.REJECTED, assembly.reason, assembly.refused, level=level, tier="screen")


def judge_fast(assembly: Assembly, sheet: CheckFile, reply: Reply, *, body: bool = False) -> Verdict:
    """The fast verdict on the answer to `sheet = fast_file(..)`. `body`: only `sheet.body` was sent."""
    return _judge_file(assembly, sheet, reply, Level.FAST, body)


def judge_strict(assembly: Assembly, sheet: CheckFile, reply: Reply, *, body: bool = False) -> Verdict:
    """The strict verdict on the answer to `sheet = strict_file(..)`. `body`: only `sheet.body` was sent."""
    return _judge_file(assembly, sheet, reply, Level.STRICT, body)


def judge_result(assembly: Assembly, sheet: CheckFile, result: Result, level: Level) -> Verdict:
    """The verdict on one result of a Kimina server that was sent `sheet.text`."""
    if result.reply is None:
        return service_error(result.error or "", level)
    return _judge_file(assembly, sheet, result.reply, level, False)


def judge_stages(assembly: Assembly, stages: Sequence[AuditRequest], replies: Mapping[str, Reply]) -> Verdict:
    """The strict verdict on staged requests: `replies` by stage name, as far as they came.

    Stages after a failed one need not be sent, `resync` always: a wrong or missing answer to it means that no
    other answer can be trusted.
    """
    by_name = {stage.name: stage for stage in stages}
    resync = replies.get("resync")
    if resync is None or not in_step(resync, by_name["resync"].expects):
        return _infra(
            "the REPL lost step: its answer to the resync request is missing or wrong", Level.STRICT
        )
    for stage in stages:
        reply = replies.get(stage.name)
        if reply is None:
            return _infra(f"no answer to the {stage.name} request", Level.STRICT, "evidence")
        verdict = _judge_stage(assembly, stage, reply)
        if verdict is not None:
            return verdict
    return _infra("no axiom report came", Level.STRICT, "evidence")


def stops(stage: AuditRequest, reply: Reply) -> bool:
    """Whether the later stages but `resync` need not be sent, since this answer settles the verdict."""
    if reply.kind is not ReplyKind.COMMAND or reply.errors:
        return True
    return stage.name in ("holes", "candidate") and _holds_sorry(reply)


def judge_reply(reply: Reply, level: Level = Level.FAST) -> Verdict:
    """What the text of one bare answer deserves, with nothing known of the request.

    A command is complete without error and sorry; a tactic only with `proofStatus` "Completed", whatever its
    goals. A REPL's complaint of its own is the machine's, except Lean's error in running a tactic.
    """
    if reply.kind is ReplyKind.FAILURE:
        failure = reply.failure or ""
        if failure.startswith("Lean error:"):
            return _rejected("error", failure, level)
        return _infra(failure, level)
    if reply.kind is ReplyKind.TACTIC:
        return _judge_tactic(reply, level)
    if reply.errors:
        return _rejected("error", reply.errors[0].data, level)
    if _holds_sorry(reply):
        return _rejected("sorry", "the declaration holds a sorry", level)
    return Verdict(Status.PROVED, "ok", level=level, tier=REPL_CHECKED)


def service_error(error: str, level: Level) -> Verdict:
    """The verdict on a server's `error` text: the body timing out is TIMEOUT, everything else INFRA.

    A header that timed out is the machine's: no text of the model had run yet.
    """
    text = error.lower()
    if "timed out" in text and "header" not in text:
        return Verdict(Status.TIMEOUT, "timeout", error, level=level)
    return _infra(error or "the server sent an empty error", level)


def read_axioms(text: str, name: str) -> tuple[str, ...] | None:
    """The axioms that `#print axioms` reports for `name`; None when `text` is no such report.

    Lean wraps long lists, so white space is squeezed first; quotes of names («») are dropped.
    """
    line = " ".join(text.split()).replace("«", "").replace("»", "")
    wanted = name.replace("«", "").replace("»", "")
    if line == f"'{wanted}' does not depend on any axioms":
        return ()
    head = f"'{wanted}' depends on axioms: ["
    if not (line.startswith(head) and line.endswith("]")):
        return None
    axioms = tuple(item.strip() for item in line[len(head) : -1].split(","))
    return axioms if all(axioms) else None


_LEVEL_NAME = re.compile(r"\bu_[0-9]+\b")


def read_type(text: str, name: str) -> str | None:
    """The type that `#check @name` reports, comparable: white space squeezed, universes named by place.

    None when `text` is no such report.
    """
    line = " ".join(text.split()).replace("«", "").replace("»", "").removeprefix("@")
    wanted = name.replace("«", "").replace("»", "")
    if not line.startswith(wanted):
        return None
    levels, colon, type_ = line[len(wanted) :].partition(" : ")
    if not colon or (levels and not re.fullmatch(r"\.\{[^{}]*\}", levels)):
        return None
    seen: dict[str, str] = {}
    return _LEVEL_NAME.sub(lambda found: seen.setdefault(found.group(), f"u_{len(seen) + 1}"), type_)


def _judge_file(assembly: Assembly, sheet: CheckFile, reply: Reply, level: Level, body: bool) -> Verdict:
    if reply.kind is ReplyKind.FAILURE:
        return _infra(reply.failure or "", level)
    if reply.kind is not ReplyKind.COMMAND or reply.env is None:
        return _infra("the answer is not one to a command", level)
    shift = sheet.header_lines if body else _shift(sheet, reply)
    if reply.errors:
        return _on_errors(assembly, sheet, reply.errors, shift, level)
    stray = [
        entry
        for entry in reply.sorries
        if entry.place is None or not _at_target(sheet, entry.place.line + shift)
    ]
    warned = [note for note in reply.notes if note.says_sorry]
    astray = [note for note in warned if not _at_target(sheet, note.place.line + shift)]
    expected = 0 if sheet.target is None else 1
    if stray or astray or len(reply.sorries) > expected or len(warned) > expected:
        return _rejected("sorry", "a declaration of the candidate holds a sorry", level)
    if len(reply.sorries) != expected or len(warned) != expected:
        return _infra("the target's own sorry was not reported", level, "evidence")
    return _on_tail(assembly, reply.notes, sheet.marks.moved(-shift), level)


def _on_errors(
    assembly: Assembly, sheet: CheckFile, errors: Sequence[Note], shift: int, level: Level
) -> Verdict:
    first = min(errors, key=lambda note: (note.place.line, note.place.column))
    line = first.place.line + shift
    if line <= sheet.trusted:
        return _toolchain(first.data, level)
    # Up to there it is the candidate that has left something open; only then the statement is compared.
    reason = "statement" if line >= sheet.marks.check else "error"
    found, more = faults(assembly, errors, Shown(sheet.text, sheet.written, shift, sheet.marks.check))
    return replace(_rejected(reason, first.data, level), faults=found, more_faults=more)


def _on_tail(assembly: Assembly, notes: Sequence[Note], marks: Marks, level: Level) -> Verdict:
    """The last step: every report exactly once and in its place, the types alike, the axioms allowed.

    `marks` in the lines that `notes` count in. Warnings are a linter's and say nothing; sorries were counted
    before.
    """
    tail = sorted(
        (note for note in notes if note.place.line >= marks.check and note.severity != "warning"),
        key=lambda note: (note.place.line, note.place.column),
    )
    wanted = [marks.axioms] if marks.types is None else [*marks.types, marks.axioms]
    if len(tail) > len(wanted) and "set_option" in assembly.candidate[len(assembly.holes) :]:
        # `set_option trace.profiler true` and its like: were it INFRA, a policy could have itself not scored.
        return _rejected("evidence", "an option of the candidate adds messages to the axiom report", level)
    if any(note.severity not in ("info", "information") for note in tail) or len(tail) != len(wanted):
        return _infra(f"{len(tail)} messages in the trailer, not {len(wanted)} reports", level, "evidence")
    if [(note.place.line, note.place.column) for note in tail] != [(line, 0) for line in wanted]:
        return _infra("a report is not where it was asked for", level, "evidence")
    if marks.types is not None:
        stated, proved = read_type(tail[0].data, marks.target), read_type(tail[1].data, marks.name)
        if stated is None or proved is None:
            return _infra("the types of statement and proof were not printed", level, "evidence")
        if stated != proved:
            return _rejected("statement", f"proved is {proved}, not {stated}"[:2000], level)
    return _on_axioms(tail[-1].data, marks.name, level)


def _on_axioms(report: str, name: str, level: Level) -> Verdict:
    axioms = read_axioms(report, name)
    if axioms is None:
        return _infra(f"no axiom report: {report[:200]}", level, "evidence")
    foreign = [axiom for axiom in axioms if axiom not in ALLOWED_AXIOMS]
    if foreign:
        reason = "sorry" if "sorryAx" in foreign else "axioms"
        detail = f"depends on {', '.join(foreign)}"
        return Verdict(Status.REJECTED, reason, detail, axioms, level, tier=REPL_CHECKED)
    return Verdict(Status.PROVED, "ok", "", axioms, level, tier=REPL_CHECKED)


def _judge_stage(assembly: Assembly, stage: AuditRequest, reply: Reply) -> Verdict | None:
    """The verdict that this stage settles, or None when the next one has to be asked."""
    level = Level.STRICT
    if reply.kind is ReplyKind.FAILURE:
        return _infra(f"{stage.name}: {reply.failure}", level)
    if reply.kind is not ReplyKind.COMMAND or reply.env is None:
        return _infra(f"{stage.name}: the answer is not one to a command", level)
    error = min(reply.errors, key=lambda note: (note.place.line, note.place.column)) if reply.errors else None
    ours = stage.name == "header" or (stage.name in ("holes", "target") and not assembly.supplied)
    if stage.name == "trailer":
        if error is not None:
            early = stage.marks is None or error.place.line < stage.marks.check
            return _rejected("error" if early else "statement", error.data, level)
        if _holds_sorry(reply):
            return _rejected("sorry", "a sorry in the trailer", level)
        return None if stage.marks is None else _on_tail(assembly, reply.notes, stage.marks, level)
    if error is not None:
        if ours:
            return _toolchain(error.data, level)
        begin = assembly.front - len(assembly.holes) if stage.name == "candidate" else len(stage.cmd)
        found, more = faults(assembly, reply.errors, Shown(stage.cmd, begin))
        return replace(_rejected("error", error.data, level), faults=found, more_faults=more)
    if stage.name == "target":
        if len(reply.sorries) != 1 or sum(note.says_sorry for note in reply.notes) != 1:
            return _infra("the target's own sorry was not reported", level, "evidence")
        return None
    if stage.name in ("holes", "candidate") and _holds_sorry(reply):
        return _rejected("sorry", "a declaration of the candidate holds a sorry", level)
    return None


def _judge_tactic(reply: Reply, level: Level) -> Verdict:
    status = reply.status
    if reply.errors:
        return _rejected("error", reply.errors[0].data, level)
    if status is None:
        # REPLs before proofStatus: an empty list of goals is no evidence.
        return _infra("the answer has no proofStatus", level, "evidence")
    if status == "Completed" and not reply.goals and not reply.sorries:
        return Verdict(Status.PROVED, "ok", level=level, tier=REPL_CHECKED)
    if status.startswith("Error:"):
        return _rejected("error", status, level)
    if status == "Incomplete: contains sorry" or reply.sorries:
        return _rejected("sorry", status, level)
    if status.startswith("Incomplete:"):
        return _rejected("evidence", status, level)
    return _infra(f"proofStatus {status!r} with {len(reply.goals)} goals", level, "evidence")


def _holds_sorry(reply: Reply) -> bool:
    return any(not entry.root for entry in reply.sorries) or any(note.says_sorry for note in reply.notes)


def _shift(sheet: CheckFile, reply: Reply) -> int:
    """How many lines the service's positions are short of the text's.

    Kimina 2.0.0 counts the lines it split off, 2.1.3 does not; the answer itself says which: by the axiom
    report, whose name the candidate cannot know, else by the target's sorry. 0 when neither is there.
    """
    reports = [
        note.place.line for note in reply.notes if read_axioms(note.data, sheet.marks.name) is not None
    ]
    # The last one: at the fast level the candidate may have printed the same report before.
    if reports and 0 <= sheet.marks.axioms - max(reports) <= sheet.leading:
        return sheet.marks.axioms - max(reports)
    if sheet.target is not None:
        for entry in reply.sorries:
            if entry.place is not None and 0 <= sheet.target[1] - entry.place.line <= sheet.leading:
                return sheet.target[1] - entry.place.line
    return 0


def _at_target(sheet: CheckFile, line: int) -> bool:
    return sheet.target is not None and sheet.target[0] <= line <= sheet.target[1]


def _rejected(reason: str, detail: str, level: Level) -> Verdict:
    return Verdict(Status.REJECTED, reason, detail, level=level, tier=REPL_CHECKED)


def _toolchain(said: str, level: Level) -> Verdict:
    return _infra(f"the benchmark's own text fails on this Lean: {said}", level, "toolchain")


def _infra(detail: str, level: Level, reason: str = "service") -> Verdict:
    return Verdict(Status.INFRA, reason, detail, level=level)
