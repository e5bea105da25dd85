"""Everything that talks to Lean, or to the embedded core fragment."""
