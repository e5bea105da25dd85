"""Benchmark harness for co-trained Lean 4 theorem provers."""

__version__ = "0.1.0"
