"""Other people's programs, started and ended: every one under a keeper that leaves nothing of it behind."""
