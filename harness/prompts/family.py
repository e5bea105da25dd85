"""What a prompt family is: how one line of published models is asked, and how its answers are read.

A family is data and pure functions. Its `digest` is taken of what it does (the prompts that it makes of a
fixed problem and state, and what it reads in fixed answers), so any change of wording changes the identity
of every run that uses it, and moving code about changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from harness.prompts.extraction import Reading, last_block, whole_text
from harness.types import Problem, content_hash


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: str
    """`system`, `user` or `assistant`."""
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is sent: a conversation for its chat template, or plain text to continue."""

    messages: tuple[Message, ...] = ()
    text: str = ""
    """Used when there are no messages."""
    stop: tuple[str, ...] = ()
    """Strings that end the answer and are no part of it."""

    @property
    def key(self) -> str:
        """Everything that the model sees, as one string: what is cached, and what requests are ordered by."""
        if not self.messages:
            return self.text
        return "\x00".join(f"{turn.role}\n{turn.content}" for turn in self.messages)


@dataclass(frozen=True, slots=True)
class Situation:
    """What a tactic is asked for."""

    goals: tuple[str, ...]
    """Open goals as Lean prints them, the one that tactics act on first."""
    theorem: str = ""
    """Name of the theorem; empty when it is not known."""
    before: tuple[str, ...] = ()
    """Tactics that led here."""
    prefix: str = ""
    """What the tactic has to begin with."""
    premises: tuple[str, ...] = ()
    """Retrieved declarations, the most relevant first."""

    @property
    def state(self) -> str:
        """All goals, separated by a blank line."""
        return "\n\n".join(self.goals)


@dataclass(frozen=True, slots=True)
class Fault:
    """One of Lean's error messages about an answer."""

    text: str
    span: tuple[int, int] | None = None
    """Where in the code of the answer it points: first character and the one after the last."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer that was no proof, for a repair."""

    answer: str
    """The model's own text."""
    code: str
    """What was checked; the spans of `faults` refer to it."""
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """Decoding settings that the authors publish; shown to people, applied only when asked for."""

    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int = 2048


@dataclass(frozen=True)
class Family:
    """How one line of models is asked and read. A family writes whole proofs, or tactics, or both."""

    name: str
    source: str
    """Where the format is documented."""
    proof: Callable[[Problem], Prompt] | None = None
    """Asks for a whole proof."""
    proof_at: Callable[[Situation], Prompt] | None = None
    """Asks for a whole proof too, by the initial state instead of the statement."""
    tactic: Callable[[Situation], Prompt] | None = None
    """Asks for one tactic."""
    repair: Callable[[Problem, Sequence[Turn]], Prompt] | None = None
    """Asks again after answers that Lean refused, the oldest first (at least one)."""
    read_proof: Callable[[str], Reading] = last_block
    """The Lean text of an answer."""
    read_tactic: Callable[[str], Reading] = whole_text
    """The tactic of an answer."""
    uses_history: bool = False
    """Its tactic prompts show the theorem's name and the tactics before."""
    advice: Advice = Advice()

    @cached_property
    def digest(self) -> str:
        """Content hash (16 hex digits) of every prompt and reading of the fixed probes."""
        from harness.prompts import probes

        parts: list[str] = [self.name]
        for problem in probes.PROBLEMS:
            parts.append(repr(self.proof and self.proof(problem)))
            parts.append(repr(self.repair and self.repair(problem, [probes.TURN, probes.TURN])))
        for situation in probes.SITUATIONS:
            parts.append(repr(self.proof_at and self.proof_at(situation)))
            parts.append(repr(self.tactic and self.tactic(situation)))
        for answer in probes.ANSWERS:
            parts += [repr(self.read_proof(answer)), repr(self.read_tactic(answer))]
        return content_hash(parts)


def user(content: str, *, system: str = "") -> tuple[Message, ...]:
    """A conversation that opens with one user message, after a system message when there is one."""
    first = (Message("system", system),) if system else ()
    return (*first, Message("user", content))
