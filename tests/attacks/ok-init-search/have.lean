have h : b + a = a + b := by exact?
exact h.symm
