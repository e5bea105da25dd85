"""What a prompt family is: how one line of published models is asked, and how its answers are read.

A family is data and pure functions. Its `digest` is taken of what it does (the prompts that it makes of a
fixed problem and state, and what it reads in fixed answers), so any change of wording changes the identity
of every run that uses it, and moving code about changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from harness.prompts import probes
from harness.prompts.extraction import Reading, last_block, whole_text
from harness.prompts.prompt import Prompt, Situation
from harness.types import Problem, Turn, content_hash


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

    @property
    def shows_premises(self) -> bool:
        """Whether its tactic prompts have room for retrieved premises."""
        asked = probes.SITUATIONS[-1]
        return self.tactic is not None and self.tactic(asked) != self.tactic(replace(asked, premises=()))

    @cached_property
    def digest(self) -> str:
        """Content hash (16 hex digits) of every prompt and reading of the fixed probes."""
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
