"""Checks against a real Lean 4.35: `pytest -m real_lean tests/real_lean` (see `build` for what it needs)."""
