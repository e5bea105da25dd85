"""Every shape of answer gets exactly one status, and only complete positive evidence is a proof."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import BadReply
from harness.lean.text.assemble import assemble
from harness.lean.verdicts.audit import CheckFile, fast_file, service_header, strict_file, strict_stages
from harness.lean.verdicts.evidence import (
    judge_fast,
    judge_reply,
    judge_result,
    judge_stages,
    judge_strict,
    read_axioms,
    service_error,
    stops,
)
from harness.lean.verdicts.replies import Note, Place, Reply, ReplyKind, SorryNote, read_reply, read_result
from harness.types import Level, Problem, Status

NONCE = "0123456789abcdef" + "a" * 16 + "fedcba9876543210"
PROBLEM = Problem(
    "p", "toy", "test", "import Mathlib\n\nopen Nat\n\n", "theorem p\n    (n : ℕ) :\n    n = n", "p"
)
ASSEMBLY = assemble(PROBLEM, "rfl")
STRICT = strict_file(ASSEMBLY, NONCE)
FAST = fast_file(ASSEMBLY, NONCE)
NONE = "does not depend on any axioms"
P, R, T, I = Status.PROVED, Status.REJECTED, Status.TIMEOUT, Status.INFRA  # noqa: E741


def note(severity: str, line: int, data: str, column: int = 0) -> Note:
    return Note(severity, Place(line, column), data)


def good(sheet: CheckFile, *more: Note, shift: int = 0, report: str | None = NONE) -> Reply:
    """A reply with all the evidence that `sheet` asks for, positions short by `shift`, and `more`."""
    notes = list(more)
    sorries: list[SorryNote] = []
    if sheet.target is not None:
        notes.append(note("warning", sheet.target[0] - shift, "declaration uses `sorry`", 8))
        sorries.append(SorryNote(Place(sheet.target[1] - shift, 14), "⊢ n = n"))
    marks = sheet.marks.moved(-shift)
    if marks.types is not None and report is not None:
        notes.append(note("info", marks.types[0], f"@{marks.target} : ∀ (n : Nat),\n  n = n"))
        notes.append(note("info", marks.types[1], f"@{marks.name} : ∀ (n : Nat), n = n"))
    if report is not None:
        notes.append(note("info", marks.axioms, f"'{marks.name}' {report}"))
    return Reply(ReplyKind.COMMAND, env=1, notes=tuple(notes), sorries=tuple(sorries))


def verdict(reply: Reply, sheet: CheckFile = STRICT) -> tuple[Status, str]:
    found = judge_strict(ASSEMBLY, sheet, reply)
    return found.status, found.reason


def test_the_strict_file_puts_the_statement_first_and_the_kernel_last() -> None:
    lines = STRICT.text.split("\n")
    assert STRICT.target is not None
    assert lines[STRICT.target[0] - 1] == "theorem _audit_0123456789abcdef_target"
    assert lines[STRICT.target[1] - 1] == "    n = n := by sorry"
    assert lines[STRICT.target[1]] == "section _audit_" + "a" * 16
    assert lines[STRICT.marks.barrier - 1] == "example : True := trivial"
    assert lines[STRICT.marks.barrier] == "end _audit_" + "a" * 16
    assert lines[STRICT.marks.check - 1] == "set_option debug.skipKernelTC false in"
    assert STRICT.marks.types is not None
    assert [lines[line - 1] for line in STRICT.marks.types] == [
        "#check @_root_._audit_0123456789abcdef_target",
        "#check @_root_._audit_fedcba9876543210_check",
    ]
    assert lines[STRICT.marks.axioms - 1] == "#print axioms _root_._audit_fedcba9876543210_check"
    assert STRICT.text.index("_target") < STRICT.text.index("theorem p") < STRICT.text.index("_check")
    assert STRICT.text == STRICT.header + STRICT.body
    assert STRICT.leading == 2


def test_complete_evidence_is_a_proof() -> None:
    for sheet, judge in ((STRICT, judge_strict), (FAST, judge_fast)):
        assert judge(ASSEMBLY, sheet, good(sheet)).status is P
        body = judge(ASSEMBLY, sheet, good(sheet, shift=sheet.header_lines), body=True)
        assert body.status is P
    classical = judge_strict(
        ASSEMBLY, STRICT, good(STRICT, report="depends on axioms: [propext,\n Quot.sound]")
    )
    assert (classical.status, classical.axioms) == (P, ("propext", "Quot.sound"))


@pytest.mark.parametrize("shift", [0, 1, 2])
def test_servers_that_count_the_header_and_servers_that_do_not(shift: int) -> None:
    assert verdict(good(STRICT, shift=shift)) == (P, "ok")
    assert verdict(good(STRICT, note("error", STRICT.marks.barrier - 1 - shift, "no"), shift=shift)) == (
        R,
        "error",
    )


TABLE = {
    "a linter warning": (good(STRICT, note("warning", 8, "unused variable `x`")), P, "ok"),
    "an information of the candidate": (good(STRICT, note("info", 8, "Nat : Type")), P, "ok"),
    "an error in the proof": (
        good(STRICT, note("error", STRICT.marks.barrier - 1, "unsolved goals")),
        R,
        "error",
    ),
    "an error at the barrier": (
        good(STRICT, note("error", STRICT.marks.barrier, "unexpected token")),
        R,
        "error",
    ),
    "types that differ": (
        good(
            STRICT,
            note("error", STRICT.marks.check + 1, "type mismatch"),
            report="depends on axioms: [sorryAx]",
        ),
        R,
        "statement",
    ),
    "an unknown theorem": (
        good(STRICT, note("error", STRICT.marks.check + 1, "unknown constant 'p'"), report=None),
        R,
        "statement",
    ),
    "a broken benchmark": (good(STRICT, note("error", 6, "unknown identifier")), I, "toolchain"),
    "sorryAx": (good(STRICT, report="depends on axioms: [sorryAx]"), R, "sorry"),
    "an axiom of its own": (good(STRICT, report="depends on axioms: [cheat, propext]"), R, "axioms"),
    "compiled code": (good(STRICT, report="depends on axioms: [Lean.ofReduceBool]"), R, "axioms"),
    "no report": (good(STRICT, report=None), I, "evidence"),
    "a report for another name": (
        good(STRICT, note("info", STRICT.marks.axioms, f"'q' {NONE}"), report=None),
        I,
        "evidence",
    ),
    "a report elsewhere": (
        good(STRICT, note("info", 9, f"'{STRICT.marks.name}' {NONE}"), report=None),
        I,
        "evidence",
    ),
    "two reports": (
        good(STRICT, note("info", STRICT.marks.axioms, f"'{STRICT.marks.name}' {NONE}")),
        I,
        "evidence",
    ),
    "a report as a warning": (
        good(STRICT, note("warning", STRICT.marks.axioms, f"'{STRICT.marks.name}' {NONE}"), report=None),
        I,
        "evidence",
    ),
    "a report at another column": (
        good(STRICT, note("info", STRICT.marks.axioms, f"'{STRICT.marks.name}' {NONE}", 4), report=None),
        I,
        "evidence",
    ),
    "something else in the trailer": (
        good(STRICT, note("info", STRICT.marks.axioms - 1, "hello")),
        I,
        "evidence",
    ),
    "a second sorry warning": (
        good(STRICT, note("warning", STRICT.marks.barrier - 2, "declaration uses 'sorry'")),
        R,
        "sorry",
    ),
    "silence": (Reply(ReplyKind.COMMAND, env=1), I, "evidence"),
    "a REPL's complaint": (Reply(ReplyKind.FAILURE, failure="Unknown environment."), I, "service"),
    "an answer to a tactic": (Reply(ReplyKind.TACTIC, state=1, status="Completed"), I, "service"),
}


@pytest.mark.parametrize("case", TABLE)
def test_verdict_table(case: str) -> None:
    reply, status, reason = TABLE[case]
    assert verdict(reply) == (status, reason)


def test_the_targets_own_sorry_is_required_and_only_it_is_allowed() -> None:
    complete = good(STRICT)
    assert verdict(dataclasses.replace(complete, sorries=())) == (I, "evidence")
    silent = tuple(item for item in complete.notes if not item.says_sorry)
    assert verdict(dataclasses.replace(complete, notes=silent)) == (I, "evidence")
    extra = SorryNote(Place(STRICT.marks.barrier - 1, 2), "⊢ False")
    assert verdict(dataclasses.replace(complete, sorries=(*complete.sorries, extra))) == (R, "sorry")
    assert verdict(dataclasses.replace(complete, sorries=(SorryNote(None, "⊢ n = n"),))) == (R, "sorry")


def test_a_fast_check_allows_no_sorry_at_all() -> None:
    warned = good(FAST, note("warning", 5, "declaration uses 'sorry'"))
    assert judge_fast(ASSEMBLY, FAST, warned).reason == "sorry"
    assert judge_fast(ASSEMBLY, FAST, Reply(ReplyKind.COMMAND, env=0)).status is I


def test_text_before_the_statement_makes_the_fast_file_compare_it() -> None:
    helped = assemble(PROBLEM, "theorem h : True := trivial\n\ntheorem p (n : ℕ) : n = n := rfl")
    assert FAST.target is None
    assert fast_file(helped, NONCE) == strict_file(helped, NONCE)


# ------------------------------------------------------------------ wire shapes


def message(severity: str = "error", **more: object) -> dict[str, object]:
    return {"severity": severity, "pos": {"line": 1, "column": 0}, "endPos": None, "data": "x", **more}


SORRY = {"pos": {"line": 1, "column": 5}, "endPos": {"line": 1, "column": 10}, "goal": "⊢ p", "proofState": 0}
SHAPES = [
    ({"env": 1}, P, "ok"),
    ({"env": 5, "messages": [message("warning")]}, P, "ok"),
    ({"env": 5, "messages": [message("info")], "time": 0.1}, P, "ok"),
    ({"env": 5, "messages": [message("trace")]}, P, "ok"),
    ({"env": 5, "messages": [message("error")]}, R, "error"),
    ({"env": 5, "messages": [message("warning", data="declaration uses 'sorry'")]}, R, "sorry"),
    ({"env": 5, "messages": [message("warning", data="declaration uses `sorry`")]}, R, "sorry"),
    ({"env": 5, "sorries": [SORRY]}, R, "sorry"),
    ({"message": "Unknown environment."}, I, "service"),
    ({"message": "Unknown proof state."}, I, "service"),
    ({"message": "Lean error:\nunknown tactic"}, R, "error"),
    ({"proofState": 1, "goals": [], "proofStatus": "Completed"}, P, "ok"),
    ({"proofState": 1, "goals": []}, I, "evidence"),
    ({"proofState": 1, "goals": ["⊢ p"]}, I, "evidence"),
    ({"proofState": 1, "goals": ["⊢ p"], "proofStatus": "Completed"}, I, "evidence"),
    ({"proofState": 1, "goals": ["⊢ p"], "proofStatus": "Incomplete: open goals remain"}, R, "evidence"),
    ({"proofState": 1, "goals": [], "proofStatus": "Incomplete: contains metavariable(s)"}, R, "evidence"),
    ({"proofState": 1, "goals": [], "proofStatus": "Incomplete: contains sorry"}, R, "sorry"),
    ({"proofState": 1, "goals": [], "sorries": [{"goal": "⊢ p"}], "proofStatus": "Completed"}, R, "sorry"),
    ({"proofState": 1, "goals": [], "proofStatus": "Error: kernel type check failed: x"}, R, "error"),
    ({"proofState": 1, "goals": [], "messages": [message()], "proofStatus": "Completed"}, R, "error"),
    (
        {"proofState": 1, "goals": [], "proofStatus": "Not verified: more than one initial goal"},
        I,
        "evidence",
    ),
]


@pytest.mark.parametrize(("answer", "status", "reason"), SHAPES)
def test_every_shape_has_one_status(answer: object, status: Status, reason: str) -> None:
    found = judge_reply(read_reply(answer))
    assert (found.status, found.reason) == (status, reason)


UNKNOWN = [
    None,
    [],
    "ok",
    True,
    {},
    {"env": None},
    {"env": True},
    {"env": "1"},
    {"env": -1},
    {"env": 1.0},
    {"messages": []},
    {"env": 1, "messages": {}},
    {"env": 1, "messages": [{"severity": "fatal", "pos": {"line": 1, "column": 0}, "data": ""}]},
    {"env": 1, "messages": [{"severity": "info", "data": ""}]},
    {"env": 1, "messages": [{"severity": "info", "pos": {"line": 1}, "data": ""}]},
    {"env": 1, "messages": ["fine"]},
    {"env": 1, "sorries": 0},
    {"env": 1, "success": True},
    {"env": 1, "error": "crash"},
    {"env": 1, "message": "x"},
    {"message": None},
    {"goals": []},
    {"proofState": 1},
    {"proofState": 1, "goals": [], "proofStatus": True},
]


@pytest.mark.parametrize("answer", UNKNOWN)
def test_unknown_shapes_are_refused(answer: object) -> None:
    with pytest.raises(BadReply):
        read_reply(answer)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["env", "messages", "sorries", "message", "proofState", "goals", "data", "pos", "line"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_arbitrary_answers_never_prove_a_candidate(answer: object) -> None:
    try:
        reply = read_reply(answer)
    except BadReply:
        return
    assert judge_strict(ASSEMBLY, STRICT, reply).status is not P
    assert judge_fast(ASSEMBLY, FAST, reply).status is not P


RESULTS = [
    ({"id": "a", "time": 1.0, "error": "Lean REPL command timed out in 1.0 seconds"}, T, "timeout"),
    ({"custom_id": "a", "error": "Lean process timed out", "response": None}, T, "timeout"),
    ({"id": "a", "time": 1.0, "error": "Lean REPL header command timed out in 1.0 seconds"}, I, "service"),
    ({"id": "a", "time": 0.0, "error": "Snippet execution failed: JSON decode error"}, I, "service"),
    ({"id": "a", "time": 0.0, "error": "No available REPLs"}, I, "service"),
    ({"id": "a", "time": 0.0, "response": {"message": "Unknown environment."}}, I, "service"),
    ({"id": "a", "time": 0.0, "response": {"env": 1}}, I, "evidence"),
    ({"custom_id": "a", "response": {"env": 1, "time": 0.1}}, I, "evidence"),
]


@pytest.mark.parametrize(("result", "status", "reason"), RESULTS)
def test_results_of_servers(result: object, status: Status, reason: str) -> None:
    for level, sheet in ((Level.FAST, FAST), (Level.STRICT, STRICT)):
        found = judge_result(ASSEMBLY, sheet, read_result(result, "a"), level)
        assert (found.status, found.reason, found.level) == (status, reason, level)


@pytest.mark.parametrize(
    "result",
    [
        {"id": "b", "time": 0.0, "response": {"env": 1}},
        {"id": "a", "time": 0.0},
        {"id": "a", "response": None, "error": None},
        {"id": "a", "response": {"env": 1}, "error": "x"},
        {"id": None, "response": {"env": 1}},
        {"response": {"env": 1}},
        {"id": "a", "time": "soon", "response": {"env": 1}},
        {"id": "a", "time": 0.0, "response": {}},
    ],
)
def test_results_that_are_none(result: object) -> None:
    with pytest.raises(BadReply):
        read_result(result, "a")


def test_an_empty_server_error_is_the_machines() -> None:
    assert service_error("", Level.FAST).status is I


# ------------------------------------------------------------------ stages

STAGES = strict_stages(ASSEMBLY, NONCE)
BY_NAME = {stage.name: stage for stage in STAGES}
MARKS = BY_NAME["trailer"].marks or STRICT.marks


def answers(**changed: Reply | None) -> dict[str, Reply]:
    marks, number = MARKS, BY_NAME["resync"].expects
    assert marks.types is not None
    found: dict[str, Reply | None] = {
        "header": Reply(ReplyKind.COMMAND, env=0),
        "target": Reply(
            ReplyKind.COMMAND,
            env=1,
            notes=(note("warning", 1, "declaration uses 'sorry'", 8),),
            sorries=(SorryNote(Place(3, 14), "⊢ n = n"),),
        ),
        "candidate": Reply(ReplyKind.COMMAND, env=2, notes=(note("warning", 1, "unused variable"),)),
        "trailer": Reply(
            ReplyKind.COMMAND,
            env=3,
            notes=(
                note("info", marks.types[0], f"@{marks.target}.{{u_7}} : Sort u_7"),
                note("info", marks.types[1], f"@{marks.name}.{{u_3}} : Sort u_3"),
                note("info", marks.axioms, f"'{marks.name}' {NONE}"),
            ),
        ),
        "resync": Reply(ReplyKind.COMMAND, env=4, notes=(note("info", 1, f"{number} : ℕ"),)),
        **changed,
    }
    return {name: reply for name, reply in found.items() if reply is not None}


def staged(**changed: Reply | None) -> tuple[Status, str]:
    found = judge_stages(ASSEMBLY, STAGES, answers(**changed))
    return found.status, found.reason


def test_the_late_half_of_the_nonce_is_in_no_request_before_the_candidate_has_run() -> None:
    assert [stage.name for stage in STAGES] == ["header", "target", "candidate", "trailer", "resync"]
    for stage in STAGES[:3]:
        assert NONCE[32:] not in stage.cmd
        assert BY_NAME["resync"].expects not in stage.cmd
    assert NONCE[:16] not in BY_NAME["candidate"].cmd
    assert [stage.on for stage in STAGES] == [None, "header", "target", "candidate", "header"]


def test_staged_verdicts() -> None:
    error = (note("error", 1, "no"),)
    assert staged() == (P, "ok")
    assert staged(header=Reply(ReplyKind.COMMAND, env=0, notes=error)) == (I, "toolchain")
    assert staged(target=Reply(ReplyKind.COMMAND, env=0, notes=error)) == (I, "toolchain")
    assert staged(target=Reply(ReplyKind.COMMAND, env=1)) == (I, "evidence")
    assert staged(candidate=Reply(ReplyKind.COMMAND, env=2, notes=error), trailer=None) == (R, "error")
    assert staged(candidate=Reply(ReplyKind.COMMAND, env=2, sorries=(SorryNote(None, ""),))) == (R, "sorry")
    assert staged(candidate=Reply(ReplyKind.FAILURE, failure="Unknown environment.")) == (I, "service")
    assert staged(
        trailer=Reply(ReplyKind.COMMAND, env=3, notes=(note("error", MARKS.check + 1, "mismatch"),))
    ) == (
        R,
        "statement",
    )
    assert staged(trailer=Reply(ReplyKind.COMMAND, env=3)) == (I, "evidence")
    assert staged(trailer=None) == (I, "evidence")


def test_messages_beside_the_report_are_the_candidates_only_where_it_sets_options() -> None:
    """`set_option trace.profiler true` after the proof must not make a failure that is never scored."""
    noise = note("info", FAST.marks.axioms, "[Elab.command] #print axioms p")
    assert judge_fast(ASSEMBLY, FAST, good(FAST, noise)).status is I
    loud = assemble(ASSEMBLY.problem, "by rfl\nset_option trace.profiler true\n")
    sheet = fast_file(loud, NONCE)
    assert judge_fast(loud, sheet, good(sheet)).status is P
    beside = note("info", sheet.marks.axioms, "[Elab.command] #print axioms p")
    found = judge_fast(loud, sheet, good(sheet, beside))
    assert (found.status, found.reason) == (R, "evidence")


def test_what_is_noisy_inside_the_candidates_section_is_not_heard_behind_it() -> None:
    noise = note("info", STRICT.marks.barrier, "[Elab.command] example : True := trivial")
    linter = note("warning", STRICT.marks.check + 1, "automatically included section variable(s) unused")
    assert verdict(good(STRICT, noise, linter)) == (P, "ok")


def test_the_printed_types_are_a_second_lock() -> None:
    """Were a hole left in the closing of scopes, the checking theorem would still show its hypothesis."""
    marks = STRICT.marks
    assert marks.types is not None

    def shown(stated: str, proved: str) -> tuple[Status, str]:
        texts = {marks.types[0]: stated, marks.types[1]: proved} if marks.types is not None else {}
        reply = good(STRICT)
        notes = tuple(
            dataclasses.replace(item, data=texts.get(item.place.line, item.data)) for item in reply.notes
        )
        return verdict(dataclasses.replace(reply, notes=notes))

    target, check = f"@{marks.target}", f"@{marks.name}"
    assert shown(f"{target} : 1 = 2", f"{check} : 1 = 2") == (P, "ok")
    assert shown(f"{target}.{{u_2, u_1}} : Sort u_1", f"{check}.{{u_1, u_2}} : Sort u_2") == (P, "ok")
    assert shown(f"{target} : 1 = 2", f"{check} : ∀ [b : Bad], 1 = 2") == (R, "statement")
    assert shown(f"{target}.{{u_1, u_2}} : f.{{u_1, u_2}}", f"{check} : f.{{u_1, u_1}}") == (R, "statement")
    for wrong in ("something else", f"{target} 1 = 2", "@other : 1 = 2"):
        assert shown(wrong, f"{check} : 1 = 2") == (I, "evidence")
    only_one = tuple(item for item in good(STRICT).notes if item.place.line != marks.types[1])
    assert verdict(dataclasses.replace(good(STRICT), notes=only_one)) == (I, "evidence")


def test_without_the_right_answer_to_resync_no_verdict_stands() -> None:
    error = Reply(ReplyKind.COMMAND, env=2, notes=(note("error", 1, "a stranger's error"),))
    for resync in (
        None,
        Reply(ReplyKind.COMMAND, env=4),
        Reply(ReplyKind.COMMAND, env=4, notes=(note("info", 1, "7 : ℕ"),)),
    ):
        assert staged(resync=resync) == (I, "service")
        assert staged(resync=resync, candidate=error) == (I, "service")


def test_stages_stop_where_the_verdict_is_settled() -> None:
    candidate, target = BY_NAME["candidate"], BY_NAME["target"]
    assert stops(candidate, Reply(ReplyKind.COMMAND, env=1, notes=(note("error", 1, "no"),)))
    assert stops(candidate, Reply(ReplyKind.FAILURE, failure="Unknown environment."))
    assert not stops(candidate, Reply(ReplyKind.COMMAND, env=1, notes=(note("warning", 1, "unused"),)))
    assert not stops(target, answers()["target"])


def test_axiom_reports() -> None:
    assert read_axioms("'a.b' does not depend on any axioms", "a.b") == ()
    assert read_axioms("'a' depends on axioms: [propext,\n  Classical.choice,\n  Quot.sound]", "a") == (
        "propext",
        "Classical.choice",
        "Quot.sound",
    )
    assert read_axioms("'«a b»' depends on axioms: [x]", "«a b»") == ("x",)
    for text in (
        "'b' does not depend on any axioms",
        "'a' depends on axioms: []",
        "a depends on axioms: [x]",
        "",
    ):
        assert read_axioms(text, "a") is None


def test_a_server_is_always_given_an_import_first() -> None:
    assert service_header("open Nat\n") == "import Init\nopen Nat\n"
    assert service_header("-- licence\n/- x -/\nimport Mathlib\n") == "import Mathlib\n"
    assert service_header("import Mathlib\n") == "import Mathlib\n"
    assert service_header("") == "import Init\n"
