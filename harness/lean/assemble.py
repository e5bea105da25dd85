"""From a benchmark's problem and a model's answer to the text that Lean is given. Pure.

The statement and the header are always the benchmark's own; of the answer only helper declarations, the
proof and (in the without-answer track) the values of answer holes are taken.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.types import Problem


@dataclass(frozen=True, slots=True)
class Assembly:
    """One candidate, ready for a service. `text == header + candidate`."""

    problem: Problem
    header: str
    """The benchmark's own preamble up to its first answer hole (or all of it); send it once per worker."""
    candidate: str
    """All that follows: filled holes, the model's helpers, our statement, the model's proof."""
    holes: str
    """The part of `candidate` that the target stands on: filled holes and what the benchmark has after."""
    target: str
    """`holes` aside, our statement alone with `sorry` for its proof; the name is still the theorem's."""
    name: str
    """The theorem's name from the root, the header's open namespaces included; no leading `_root_`."""
    helpers: bool
    """Model text stands before our statement, so the statement must be compared after elaboration."""
    refused: str | None = None
    """Why the text is refused by the screen or cannot be assembled; it must not be sent then."""
    reason: str = "refused"
    """Reason of the refusal, one of `harness.types.REASONS` (`refused`, `sorry` or `empty`)."""
    notes: tuple[str, ...] = ()
    """What a person should know, such as `answer supplied by the candidate: needs a human check`."""

    @property
    def text(self) -> str:
        """The whole file."""
        return self.header + self.candidate
