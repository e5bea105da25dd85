"""The data that everything passes around: frozen, standard library only, no input or output.

A `Problem` is what is to be proved, an `Attempt` what a prover produced, a `Verdict` what a verifier
said of it, and a `Record` ties the three together as one line of `records.jsonl`.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from harness.well_typed import typed


class Status(StrEnum):
    """What became of one attempt. There is no boolean verdict anywhere."""

    PROVED = "proved"
    """Positive evidence: the stated theorem, in the stated header, allowed axioms only."""
    REJECTED = "rejected"
    """Judged, and not a proof (wrong, refused by the screen, empty, or holding a sorry)."""
    TIMEOUT = "timeout"
    """Lean was still working when the time given to this check was up."""
    INFRA = "infra"
    """The machine failed; nothing was judged. Unscored: neither a success nor a failure of the model."""


class Level(StrEnum):
    """How a verdict was reached."""

    FAST = "fast"
    """Statement and screen checks, then the service's own answer. For rewards."""
    STRICT = "strict"
    """Also an audit of statement, axioms and environment outside the candidate's text; for publishing."""


@dataclass(frozen=True, slots=True)
class Hole:
    """An answer that the prover has to supply beside the proof (PutnamBench's `abbrev ..._solution`)."""

    name: str
    type: str
    answer: str
    """The known answer, as Lean source; used in the with-answer track only."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One theorem to prove. `source` is the benchmark's file, byte for byte."""

    id: str
    benchmark: str
    split: str
    header: str
    """Imports, opens and options, up to the first byte of the statement."""
    statement: str
    """From its docstring or keyword to the last byte before `:=`; never holds a proof."""
    theorem: str
    """The declared name, as written."""
    placeholder: str = " := by sorry"
    """What the benchmark's file has after the statement, `sorry` included."""
    holes: tuple[Hole, ...] = ()
    informal: str = ""
    toolchain: str = ""
    """Lean version that the statement is written for, or `core` for the embedded fragment."""
    category: str = ""
    difficulty: int | None = None
    """Graded difficulty where the benchmark states one (1 is easiest)."""
    family: str = ""
    """What it shares with others that are proved alike, such as a source file or a template; problems of one
    family are no independent evidence. Empty: none."""
    gold: str | None = None
    """A known proof (a tactic block or a term), for validation and warm start; never shown to a prover."""

    @property
    def source(self) -> str:
        """The benchmark's own file: header, statement and placeholder."""
        return self.header + self.statement + self.placeholder

    @property
    def revision(self) -> str:
        """Content hash (16 hex digits) of whatever changes the task; gold, category and prose do not."""
        return _revision(self.header, self.statement, self.placeholder, self.toolchain, self.holes)


@functools.lru_cache(maxsize=65536)
def _revision(header: str, statement: str, placeholder: str, toolchain: str, holes: tuple[Hole, ...]) -> str:
    told = [f"{hole.name}:{hole.type}:={hole.answer}" for hole in holes]
    return content_hash([header, statement, placeholder, toolchain, *told])


@dataclass(frozen=True, slots=True)
class ProblemRef:
    """What a run remembers of a problem it owes: enough to count and to align, nothing to prove."""

    id: str
    revision: str
    category: str = ""
    difficulty: int | None = None
    canary: bool = False
    """A false statement mixed in; attempted and recorded, never in a denominator."""
    family: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Problem and revision."""
        return (self.id, self.revision)

    @classmethod
    def of(cls, problem: Problem, canary: bool = False) -> ProblemRef:
        """The reference of `problem`."""
        told = (problem.category, problem.difficulty, canary, problem.family)
        return cls(problem.id, problem.revision, *told)


def content_hash(parts: list[str]) -> str:
    """First 16 hex digits of the SHA-256 of the JSON list `parts`."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one attempt, as the policy counted them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    truncated: bool = False
    """The completion ended at its token limit, not at a stop; of a search, a state left no room to ask."""


@dataclass(frozen=True, slots=True)
class SearchStats:
    """Exact counts of one search; times in seconds."""

    expanded: int = 0
    """Nodes taken from the frontier for which the policy was asked."""
    created: int = 0
    """Distinct open states met, the root included."""
    tactics_tried: int = 0
    """Tactics applied in Lean."""
    invalid: int = 0
    """Tactics that Lean refused or did not finish in time."""
    duplicates: int = 0
    """Valid tactics that led to a state already met."""
    overtaken: int = 0
    """Tactics handed to Lean beside one proposed before them that closed the proof; nobody waited for them.
    They count against the budget of tactic calls and in no other figure; none where tactics run in turn."""
    tokens: int = 0
    """Tokens that the policy generated."""
    speculated: int = 0
    """Of `expanded`: states asked about beside one whose tactics closed the proof."""
    shortest: int = 0
    """Tactics in the shortest proof inside the finished tree, tried out; 0 without a proof."""
    replayed: int = 0
    """Tactics applied after the search to find it; in no other figure and under no budget."""
    depth: int = 0
    """Tactics in the proof found, else the depth of the deepest state."""
    policy_s: float = 0.0
    lean_s: float = 0.0
    value_s: float = 0.0
    stopped: str = ""
    """Why the search ended: `proved`, `exhausted`, `expansions`, `tactic_calls`, `tokens` or `wall_clock`."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a prover produced for one sample of one problem, before anyone judged it."""

    problem_id: str
    index: int
    """Sample number, 0-based."""
    seed: int
    proof: str | None
    """The candidate to be judged (a tactic block, a term or a whole file); None when there is none."""
    raw: str = ""
    """The model's own text, when it differs from `proof`."""
    usage: Usage = field(default_factory=Usage)
    search: SearchStats | None = None
    error: str | None = None
    """The machine's failure while producing it; such an attempt is INFRA and unscored."""
    logprob: float | None = None
    """Of a whole proof: sum over the completion's tokens at temperature 1, natural logarithm."""
    origin: str = ""
    """Of a whole proof: where in `raw` it stood."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One of Lean's error messages about a text."""

    text: str
    span: tuple[int, int] | None = None
    """Where in the text it points: first character and the one after the last."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer that was no proof, for a repair."""

    answer: str
    """The model's own text."""
    code: str
    """What was checked; the spans of `faults` refer to it."""
    faults: tuple[Fault, ...]
    more: int = 0
    """Error messages beyond those of `faults`."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verifier said of one candidate."""

    status: Status
    reason: str
    """One word of `REASONS`."""
    detail: str = ""
    """Lean's message, or what was refused; for people."""
    axioms: tuple[str, ...] = ()
    level: Level = Level.FAST
    verifier: str = ""
    """Which service answered: `core`, `repl`, `kimina`."""
    tier: str = ""
    """What the evidence comes from: one word of `EVIDENCE`."""
    seconds: float = 0.0
    faults: tuple[Fault, ...] = field(default=(), compare=False, repr=False)
    """Lean's errors, as they stand in the text and a bounded number of them, for whoever writes the proof
    anew; spans in `Assembly.written` (see `harness.lean.text.placing`). Not in records."""
    more_faults: int = field(default=0, compare=False, repr=False)
    """Errors beyond those of `faults`."""


REASONS = {
    "ok": "accepted with positive evidence",
    "error": "the proof is wrong: Lean reported an error",
    "sorry": "the proof holds a sorry",
    "axioms": "an axiom outside the allowed list",
    "statement": "the statement differs: the stated theorem is not the one proved",
    "unparsed": "no Lean could be found in the answer",
    "refused": "the screen refused the text; nothing was judged wrong, it was not run",
    "empty": "no candidate",
    "evidence": "no error, but the evidence for a proof is missing",
    "kernel": "Lean accepted it, but not the second kernel that read the compiled file",
    "declined": "a judge of the compiled file does not do what this proof needs; nothing was judged",
    "timeout": "the time for this check was up",
    "toolchain": "the benchmark's own text fails on this Lean: another version, or a library is missing",
    "service": "the machine: the service failed or answered something unknown",
}


EVIDENCE = {
    "": "nothing was judged: no candidate, a time-out or a failure of the machine",
    "screen": "the text alone; it was refused before any Lean saw it",
    "repl-checked": "the answers of the process in which the candidate ran",
    "kernel": "the embedded core's own kernel and environments",
    "olean-replayed": "the compiled file, in another process (leanchecker, SafeVerify)",
    "second-kernel": "the compiled file, replayed by the project's own kernel in another process",
    "comparator": "a sandboxed build and its text export, in another process",
}
"""From the weakest evidence of a proof to the strongest; `screen` only ever refuses."""


@dataclass(frozen=True, slots=True)
class Record:
    """One line of `records.jsonl`: problem reference, attempt and verdict."""

    benchmark: str
    split: str
    problem_id: str
    revision: str
    attempt: Attempt
    verdict: Verdict

    @property
    def key(self) -> tuple[str, str, int]:
        """What identifies the record within a run: problem, revision, sample index."""
        return (self.problem_id, self.revision, self.attempt.index)

    def to_json(self) -> dict[str, Any]:
        """A plain JSON object; `from_json` is its inverse. A verdict's faults are not in it."""
        told = dataclasses.asdict(self)
        del told["verdict"]["faults"], told["verdict"]["more_faults"]
        return told

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        """Rebuild a record. Raises KeyError, TypeError or ValueError on a malformed object."""
        attempt, verdict = dict(data["attempt"]), dict(data["verdict"])
        attempt["usage"] = typed(Usage, attempt["usage"])
        attempt["search"] = None if attempt["search"] is None else typed(SearchStats, attempt["search"])
        verdict["status"], verdict["level"] = _STATUS(verdict["status"]), _LEVEL(verdict["level"])
        verdict["axioms"] = _names(verdict["axioms"]) if verdict["axioms"] != [] else ()
        reference = {name: data[name] for name in ("benchmark", "split", "problem_id", "revision")}
        made = {"attempt": typed(Attempt, attempt), "verdict": typed(Verdict, verdict)}
        record = typed(cls, {**reference, **made})
        if (least := min(record.attempt.index, *_counts(record.attempt))) < 0:
            raise ValueError(f"a count of the attempt is {least}, below 0")
        return record


_STATUS, _LEVEL = (functools.cache(kind) for kind in (Status, Level))
"""An enumeration looks its members up some ten times slower."""


def _names(axioms: object) -> tuple[str, ...]:
    if not isinstance(axioms, list | tuple) or not all(isinstance(name, str) for name in axioms):
        raise TypeError("axioms: not a list of names")
    return tuple(axioms)


def _counts(attempt: Attempt) -> tuple[float, ...]:
    """Tokens, expansions, tactics and seconds of an attempt, none of which can be negative."""
    usage, search = attempt.usage, attempt.search
    tokens = (usage.prompt_tokens, usage.completion_tokens)
    if search is None:
        return tokens
    tried = (search.expanded, search.created, search.tactics_tried, search.tokens, search.shortest)
    return (*tokens, *tried, search.policy_s, search.lean_s, search.value_s)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval. `value` is None when it cannot be computed: never a silent 0 or 1."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    """What it is computed over (problems, or proofs)."""
    unscored: int = 0
    """Attempts left out because the machine failed."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One tactic proposed for a state."""

    tactic: str
    logprob: float
    """Sum over its tokens, terminator included, natural logarithm."""
    tokens: int
    """Tokens summed over, terminator included."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """What a policy proposed for one state, most likely first, and what that cost."""

    tactics: tuple[Proposal, ...]
    usage: Usage = field(default_factory=Usage)
    """Every token generated for it: terminators, and answers that were cut or said the same, included."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One whole-proof completion."""

    proof: str
    """What was taken of the completion; empty when it holds no Lean."""
    raw: str
    """The completion itself."""
    logprob: float
    """Sum over its tokens, terminator included, at temperature 1, natural logarithm."""
    usage: Usage
    origin: str = ""
    """Where in `raw` the proof stood; empty when it is all of it."""
    token_logprobs: tuple[float, ...] = ()
    """What `logprob` sums over, where the policy tells it; as many as `usage.completion_tokens`."""


@dataclass(frozen=True, slots=True)
class ProofState:
    """An open proof state of a step session."""

    goals: tuple[str, ...]
    """Every open goal as Lean prints it, the one that tactics act on first."""
    handle: Any = field(compare=False, hash=False, repr=False, default=None)
    """The session's own reference; opaque to everyone else."""
    theorem: str = field(compare=False, hash=False, repr=False, default="")
    """Name of the theorem, where a policy's prompts show it (`harness.policies.history`)."""
    before: tuple[str, ...] = field(compare=False, hash=False, repr=False, default=())
    """The tactics that led here, likewise."""
    prefix: str = field(compare=False, hash=False, repr=False, default="")
    """What the next tactic has to begin with, where a person asks; policies that cannot, propose anything."""
    problem: Problem | None = field(compare=False, hash=False, repr=False, default=None)
    """What it is a state of, where a policy retrieves what the problem may use."""

    @property
    def text(self) -> str:
        """All goals, separated by a blank line, as Lean prints a state."""
        return "\n\n".join(self.goals)


class Step(StrEnum):
    """What applying a tactic did."""

    OPEN = "open"
    DONE = "done"
    """No goals left and the session vouches for it; the assembled proof is still checked as a whole file."""
    INVALID = "invalid"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class StepResult:
    """Outcome of one tactic call; `state` is present exactly when `outcome` is OPEN."""

    outcome: Step
    state: ProofState | None = None
    message: str = ""
