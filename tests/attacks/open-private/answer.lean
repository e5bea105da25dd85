open private add from Lean.Environment

theorem foo : 1 = 2 := by rfl
