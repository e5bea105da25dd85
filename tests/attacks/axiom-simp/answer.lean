@[simp] axiom cheat : (1 = 2) = True

theorem foo : 1 = 2 := by
  simp
