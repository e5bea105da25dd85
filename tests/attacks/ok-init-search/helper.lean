theorem swapped (a b : Nat) : b + a = a + b := Nat.add_comm b a

theorem foo (a b : Nat) : a + b = b + a := by
  exact?
