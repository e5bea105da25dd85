"""From what Lean says to what counts as proved."""
