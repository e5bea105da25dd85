"""What keeps verdicts honest: canaries, the museum of cheats, gold proofs, and judging again."""
