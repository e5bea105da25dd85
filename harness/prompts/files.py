"""The Lean text that prompts show: the benchmark's own file, with or without its placeholder."""

from __future__ import annotations

from harness.lean.text.assemble import filled_header
from harness.types import Problem


def opening(problem: Problem) -> str:
    """The file up to and including `:= by`, no line break after it.

    Answer holes with a known answer are filled. Prose becomes a docstring unless the statement has one.
    """
    return filled_header(problem) + docstring(problem) + problem.statement.rstrip() + " := by"


def with_sorry(problem: Problem) -> str:
    """The file with `sorry` on a line of its own for the proof."""
    return opening(problem) + "\n  sorry"


def docstring(problem: Problem) -> str:
    """The prose as a docstring with its line break; empty without prose, or beside one of the statement."""
    prose = problem.informal.strip().replace("-/", "- /")
    if not prose or problem.statement.lstrip().startswith("/-"):
        return ""
    return f"/-- {prose} -/\n"
