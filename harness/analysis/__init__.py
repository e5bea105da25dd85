"""Stored runs read back: their figures, statistics, and comparisons of like with like."""
