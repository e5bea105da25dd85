-- harmless axiom cheat : 1 = 2
theorem foo : 1 = 2 := by simp
