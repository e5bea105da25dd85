def p : IO Unit := .println 1

theorem foo : 1 = 2 := by simp
