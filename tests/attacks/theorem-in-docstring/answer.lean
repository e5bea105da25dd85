/-- theorem foo : 1 = 2 := by simp -/
theorem bar : True := trivial
