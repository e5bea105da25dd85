"""Benchmark harness for co-trained Lean 4 theorem provers."""

import os

__version__ = "0.1.0"

# Torch's threads sleep while they wait for one another. By default they spin, and beside any other work on
# the machine a training then takes many times as long. OpenMP reads it once, when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
