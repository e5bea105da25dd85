import ast
import dataclasses
import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from harness import extras
from harness.errors import BadReply, HarnessError, InfraError, MissingExtra, UserError, boundary
from harness.types import (
    EVIDENCE,
    REASONS,
    Attempt,
    Level,
    Problem,
    ProofState,
    Record,
    SearchStats,
    Status,
    Usage,
    Verdict,
)

PROBLEM = Problem(
    "and_left", "smoke", "test", "", "theorem and_left (P Q : Prop) (h : P ∧ Q) : P", "and_left"
)


def record(status: Status = Status.PROVED) -> Record:
    attempt = Attempt("and_left", 2, 7, "exact h.1", usage=Usage(3, 4), search=SearchStats(expanded=5))
    verdict = Verdict(status, "ok", axioms=("propext",), level=Level.STRICT, verifier="core", tier="kernel")
    return Record("smoke", "test", "and_left", PROBLEM.revision, attempt, verdict)


def test_a_record_survives_its_json_line() -> None:
    line = json.dumps(record().to_json())
    assert "\n" not in line
    assert Record.from_json(json.loads(line)) == record()


@pytest.mark.parametrize("missing", ["attempt", "verdict", "revision"])
def test_a_record_without_a_part_is_refused(missing: str) -> None:
    data = record().to_json()
    del data[missing]
    with pytest.raises(KeyError):
        Record.from_json(data)


def test_an_unknown_status_is_refused() -> None:
    data = record().to_json()
    data["verdict"]["status"] = "valid"
    with pytest.raises(ValueError, match="valid"):
        Record.from_json(data)


@pytest.mark.parametrize("name", ["header", "statement", "placeholder", "toolchain"])
def test_the_revision_follows_whatever_changes_the_task(name: str) -> None:
    assert dataclasses.replace(PROBLEM, **{name: "changed"}).revision != PROBLEM.revision


@pytest.mark.parametrize("name", ["gold", "category", "informal"])
def test_the_revision_does_not_follow_what_leaves_the_task_alone(name: str) -> None:
    assert dataclasses.replace(PROBLEM, **{name: "changed"}).revision == PROBLEM.revision


def test_states_are_equal_by_their_goals() -> None:
    assert ProofState(("⊢ P",), handle=1) == ProofState(("⊢ P",), handle=2)
    assert ProofState(("⊢ P", "⊢ Q")).text == "⊢ P\n\n⊢ Q"


def test_every_reason_is_explained() -> None:
    assert all(REASONS.values())


def tiers_given(path: Path, module: str) -> Iterator[str]:
    """The values of `tier=` in the calls of `Verdict` and `replace` of one source file."""
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(call, ast.Call) or getattr(call.func, "id", "") not in ("Verdict", "replace"):
            continue
        for value in (keyword.value for keyword in call.keywords if keyword.arg == "tier"):
            if isinstance(value, ast.Constant):
                yield str(value.value)
            elif isinstance(value, ast.Name):
                yield getattr(import_module(module), value.id)
            else:
                assert isinstance(value, ast.Subscript) and isinstance(value.value, ast.Name)
                yield from getattr(import_module(module), value.value.id).values()


def test_the_tiers_are_those_that_the_code_gives() -> None:
    root = Path(__file__).parents[1]
    found = {
        tier
        for room in ("harness", "trainers")
        for path in (root / room).rglob("*.py")
        for tier in tiers_given(path, ".".join(path.relative_to(root).with_suffix("").parts))
    }
    assert found | {Verdict(Status.INFRA, "service").tier} == set(EVIDENCE)
    assert all(EVIDENCE.values())


def test_the_boundary_classifies_what_escapes_and_passes_ours() -> None:
    with (
        pytest.raises(InfraError, match="asking the server: ValueError: odd") as caught,
        boundary(InfraError, "asking the server"),
    ):
        raise ValueError("odd")
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(BadReply), boundary(InfraError, "asking the server"):
        raise BadReply("kept")
    with pytest.raises(KeyboardInterrupt), boundary(InfraError, "asking the server"):
        raise KeyboardInterrupt


def test_a_missing_extra_says_how_to_install_it() -> None:
    absent = extras.Extra(("no_such_module_here",), "nothing")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(extras.EXTRAS, "vllm", absent)
        with pytest.raises(MissingExtra, match=r"no_such_module_here: not .* pip install .*\[vllm\]"):
            extras.need("vllm")
    assert issubclass(MissingExtra, UserError)
    assert not issubclass(InfraError, UserError)
    assert issubclass(InfraError, HarnessError)
