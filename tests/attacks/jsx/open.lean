open scoped ProofWidgets.Jsx

theorem foo : 1 = 2 := by simp
