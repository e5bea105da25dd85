"""The embedded core as a Lean service, in process: verdicts and step sessions without a server.

The work is done by the caller's thread (`embedded_beside` has other processes do it). The core counts steps
and the nodes they touch, so a limit that is reached is reached again on every machine; the seconds given to a
check are the safety net behind that, and end it as a TIMEOUT. Between candidates the event loop gets a turn,
which lets Ctrl-C through.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from harness.errors import ForeignText, InfraError, ServiceTimeout, boundary
from harness.lean.core.parse_base import clean_name
from harness.lean.core.session import (
    Constant,
    CoreError,
    Environment,
    RunResult,
    StepLimits,
    TacticResult,
    TacticState,
    deep_stack,
    open_goal,
    prelude,
    run,
)
from harness.lean.core.states import Position
from harness.lean.core.work import OutOfTime, seconds_granted
from harness.lean.text.assemble import Assembly
from harness.lean.text.comments import without_comments
from harness.lean.text.scopes import name_parts
from harness.lean.verdicts.checking import (
    assembled,
    converse,
    failed,
    first_proof,
    refused_step,
    screened_tactic,
    sound_header,
    stated,
    timed_out,
)
from harness.lean.verdicts.evidence import ALLOWED_AXIOMS, refusal
from harness.lean.verdicts.replies import Note, Place, Reply, ReplyKind, SorryNote
from harness.protocols import Candidate
from harness.types import Level, Problem, ProofState, Status, Step, StepResult, Verdict

NAME = "core"
TIER = "kernel"
_HEADERS_KEPT = 256
_TARGETS_KEPT = 8192
TIMEOUT_S = 60.0


@contextmanager
def _core_at_work() -> Iterator[None]:
    """The core's own failure is the machine's; being out of time is for the caller to judge."""
    with boundary(InfraError, "the embedded core failed"):
        try:
            yield
        except OutOfTime as late:
            raise ServiceTimeout(str(late)) from late


class CoreConversation:
    """A check against the core, in the shape of a REPL's: numbers stand for environments."""

    def __init__(self, headers: OrderedDict[str, RunResult], heartbeats: int = 200_000) -> None:
        self._headers = headers
        self._limits = StepLimits(heartbeats)
        self._results: list[RunResult] = []

    async def header(self, text: str) -> Reply:
        """The answer to `text` on a fresh environment."""
        result = self._headers.get(text)
        if result is None:
            with _core_at_work():
                result = self._headers[text] = run(prelude(), text, header=True)
            if len(self._headers) > _HEADERS_KEPT:
                self._headers.popitem(last=False)
        return self._number(result)

    async def send(self, cmd: str, env: int) -> Reply:
        """The answer to `cmd` on environment `env`."""
        with _core_at_work():
            return self._number(run(self._results[env].env, cmd, limits=self._limits))

    async def send_all(self, commands: Sequence[tuple[str, int]]) -> list[Reply]:
        """The answers to several commands."""
        return [await self.send(cmd, env) for cmd, env in commands]

    @property
    def results(self) -> Sequence[RunResult]:
        """What was run, in order; a reply's `env` is its index."""
        return self._results

    def _number(self, result: RunResult) -> Reply:
        self._results.append(result)
        return as_reply(result, len(self._results) - 1)


def as_reply(result: RunResult, env: int) -> Reply:
    """A run of the core as a REPL would report it, under the number `env`."""
    notes = tuple(
        Note(
            message.severity, _place(message.pos), message.data, _place(message.end) if message.end else None
        )
        for message in result.messages
    )
    sorries = tuple(SorryNote(_place(entry.pos), entry.goal) for entry in result.sorries)
    return Reply(ReplyKind.COMMAND, env=env, notes=notes, sorries=sorries)


def _place(position: Position) -> Place:
    return Place(position.line, position.column)


class CoreVerifier:
    """Verdicts from the embedded core; nothing is asked twice under a `CachedVerifier`."""

    def __init__(self, heartbeats: int = 200_000, timeout_s: float = TIMEOUT_S) -> None:
        """`timeout_s`: seconds given to one check."""
        self._heartbeats = heartbeats
        self._timeout_s = timeout_s
        self._headers: OrderedDict[str, RunResult] = OrderedDict()
        self._stated: set[tuple[str, str]] = set()
        self._targets = Targets()

    async def check(self, candidates: Sequence[Candidate], level: Level) -> list[Verdict]:
        """One verdict per candidate, in order. Never raises for a bad proof."""
        verdicts = []
        for candidate in candidates:
            await asyncio.sleep(0)
            verdicts.append(await self._judge(candidate, level))
        return verdicts

    async def close(self) -> None:
        """Forget what was kept."""
        self._headers.clear()
        self._targets.clear()

    async def _judge(self, candidate: Candidate, level: Level) -> Verdict:
        started = time.perf_counter()
        assembly = assembled(candidate, self._heartbeats)
        verdict = refusal(assembly, level)
        if verdict is None:
            prelude()  # its making is nobody's time
            with seconds_granted(self._timeout_s):
                verdict = await first_proof(assembly, lambda reading: self._asked(reading, level))
        return replace(verdict, verifier=NAME, seconds=time.perf_counter() - started)

    async def _asked(self, assembly: Assembly, level: Level) -> Verdict:
        talk = CoreConversation(self._headers, self._heartbeats)
        try:
            verdict = await converse(assembly, level, talk, self._stated)
            if verdict.status is not Status.PROVED:
                return verdict
            try:
                with _core_at_work(), deep_stack():
                    return kernel_evidence(assembly, verdict, talk.results, self._targets)
            except ServiceTimeout as late:
                return timed_out(level, str(late))
        except InfraError as cause:
            return failed(level, cause)


class Targets:
    """Statements elaborated by themselves, where the model's text had no part in it."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], Constant | None] = OrderedDict()

    def constant(self, assembly: Assembly, header: Environment) -> Constant | None:
        """The constant that the statement alone declares after `header`; None when it declares none."""
        key = (assembly.header, assembly.holes + assembly.target)
        if key not in self._known:
            self._known[key] = run(header, key[1]).env.get(core_name(assembly.stated_name))
            if len(self._known) > _TARGETS_KEPT:
                self._known.popitem(last=False)
        return self._known[key]

    def clear(self) -> None:
        """Forget them."""
        self._known.clear()


def kernel_evidence(
    assembly: Assembly, verdict: Verdict, results: Sequence[RunResult], targets: Targets
) -> Verdict:
    """The same verdict if the environments bear it out, else a weaker one.

    Asked of the kernel's constants, not of any message: the theorem exists, stands on allowed axioms, and has
    the type that the statement has by itself. `results[0]` is the header's.
    """
    # The answer's own theorem may name its universes as it likes: the check has them as the target has.
    check = next((made for result in reversed(results) for made in reversed(result.declared)), "")
    name = check if assembly.restated else core_name(assembly.name)
    holder = next((result.env for result in reversed(results) if result.env.contains(name)), None)
    if holder is None:
        return replace(verdict, status=Status.REJECTED, reason="statement", detail=f"{name} is not declared")
    axioms = holder.axioms(name)
    foreign = [axiom for axiom in axioms if axiom not in ALLOWED_AXIOMS]
    if foreign:
        detail = f"depends on {', '.join(foreign)}"
        return replace(verdict, status=Status.REJECTED, reason="axioms", detail=detail, axioms=axioms)
    target = targets.constant(assembly, results[0].env)
    if target is None or not holder.has_type(name, target):
        return replace(
            verdict, status=Status.REJECTED, reason="statement", detail=f"{name} has another type than stated"
        )
    return replace(verdict, axioms=axioms, tier=TIER)


def core_name(name: str) -> str:
    """A name as the core keeps it: without the quotes that it does not need."""
    return ".".join(map(clean_name, name_parts(name)))


class CoreSessions:
    """Where sessions on the embedded core come from."""

    def __init__(self, heartbeats: int = 200_000, timeout_s: float = TIMEOUT_S) -> None:
        """`timeout_s`: seconds given to one tactic."""
        self._heartbeats = heartbeats
        self._timeout_s = timeout_s
        self._headers: OrderedDict[str, RunResult] = OrderedDict()

    def __reduce__(self) -> tuple[type[CoreSessions], tuple[int, float]]:
        """Another process gets the limits, and keeps headers of its own."""
        return CoreSessions, (self._heartbeats, self._timeout_s)

    async def open(self, problem: Problem) -> CoreSession:
        """A session on `problem`. Raises `InfraError` when its statement is outside the fragment."""
        assembly = stated(problem, self._heartbeats)
        talk = CoreConversation(self._headers)
        env = sound_header(await talk.header(assembly.header))
        if assembly.holes.strip():
            env = sound_header(await talk.send(assembly.holes, env))
        base = talk.results[env].env
        limits = StepLimits(heartbeats=step_limit(base, self._heartbeats))
        try:
            root = open_goal(base, "", problem.statement, limits=limits)
        except CoreError as cause:
            raise ForeignText(f"{problem.id}: the embedded core cannot state it: {cause}") from cause
        return CoreSession(root, self._timeout_s)


def step_limit(env: Environment, heartbeats: int) -> int:
    """The limit that the header sets for itself, else `heartbeats`."""
    option = env.option("maxHeartbeats")
    return option if isinstance(option, int) and not isinstance(option, bool) and option > 0 else heartbeats


class CoreSession:
    """Step-wise proving of one problem in the embedded core. States are immutable and cheap to keep."""

    overlaps = False
    """The core computes in the loop's own thread."""

    def __init__(self, root: TacticState, timeout_s: float = TIMEOUT_S) -> None:
        self._root = root
        self._timeout_s = timeout_s

    async def start(self) -> ProofState:
        """The problem's initial state."""
        return ProofState(self._root.goals, self._root)

    async def apply(self, state: ProofState, tactic: str) -> StepResult:
        """Apply one tactic to the first goal of `state`; the same result again on every machine."""
        refused = screened_tactic(tactic)
        if refused is not None:
            return refused
        tactic = without_comments(tactic)
        held: TacticState = state.handle
        try:
            with _core_at_work(), seconds_granted(self._timeout_s):
                return _step_result(held.apply(tactic))
        except ServiceTimeout as late:
            return StepResult(Step.TIMEOUT, message=str(late))

    async def close(self) -> None:
        """Nothing is held."""


def _step_result(result: TacticResult) -> StepResult:
    if result.state is None:
        return refused_step(result.error or "")
    if result.status == "Completed":
        return StepResult(Step.DONE)
    if result.state.goals:
        return StepResult(Step.OPEN, ProofState(result.state.goals, result.state))
    return StepResult(Step.INVALID, message=result.status)
