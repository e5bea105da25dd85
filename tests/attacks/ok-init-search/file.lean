theorem foo (a b : Nat) : a + b = b + a := by
  exact?
