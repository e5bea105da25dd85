variable (p : 1 = 2)

theorem foo : 1 = 2 := by
  exact p
