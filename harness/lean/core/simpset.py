"""The simp set."""

from __future__ import annotations

from dataclasses import replace

from harness.lean.core.environment import Environment


def add_simp(env: Environment, name: str) -> Environment:
    """Mark a theorem as a simp lemma."""
    return replace(env, simp_lemmas=(*env.simp_lemmas, name))
