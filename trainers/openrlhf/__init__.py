"""GRPO by OpenRLHF 0.11.2: a plan (pure), its checks, the launcher, and the agent that asks Lean."""
