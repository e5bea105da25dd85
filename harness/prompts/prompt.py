"""What a model is sent, and the situations that it is asked about. Frozen data."""

from __future__ import annotations

from dataclasses import dataclass


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
    """Where the last is the assistant's, it is an answer that the model is to go on with."""
    text: str = ""
    """Used when there are no messages."""
    stop: tuple[str, ...] = ()
    """Strings that end the answer and are no part of it."""

    @property
    def begun(self) -> bool:
        """Whether the answer stands there in part."""
        return bool(self.messages) and self.messages[-1].role == "assistant"

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
    file: str = ""
    """The theorem's file up to `:= by`; empty when it is not known."""

    @property
    def state(self) -> str:
        """All goals, separated by a blank line."""
        return "\n\n".join(self.goals)


def user(content: str, *, system: str = "") -> tuple[Message, ...]:
    """A conversation that opens with one user message, after a system message when there is one."""
    first = (Message("system", system),) if system else ()
    return (*first, Message("user", content))
