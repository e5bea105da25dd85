have h : (1 : Nat) = 2 := by
  apply?
exact h