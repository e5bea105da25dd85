theorem foo (n : Nat) : n = n ∧ n = n where
  left := rfl
  right := rfl
