"""simp."""
