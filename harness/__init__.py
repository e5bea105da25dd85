"""Benchmark harness for co-trained Lean 4 theorem provers."""

import os

__version__ = "0.1.0"

# Torch's threads wait for one another by spinning for milliseconds, and beside other work on the machine each
# step of a training then takes many times as long. Spun for some 30 microseconds and slept, a step is as fast
# alone, and several times faster beside others. OpenMP reads it once, when torch is first imported.
os.environ.setdefault("GOMP_SPINCOUNT", "3000")
