have h : 1 = 2 := by
  sorry
exact h