"""The generator of `datasets/core-curriculum.jsonl`: small theorems of graded difficulty with short proofs.

Everything follows from one seed, so the file can be made again and compared byte for byte.
"""
