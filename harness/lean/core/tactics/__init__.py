"""Tactics: each a function from the elaborator's state and a syntax node to changed goals."""
