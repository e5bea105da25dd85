namespace ProofWidgets
open scoped Jsx

theorem foo : 1 = 2 := by simp
