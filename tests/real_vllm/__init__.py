"""Checks against a real vLLM on the CPU: `pytest -m vllm tests/real_vllm` (see `install`)."""
