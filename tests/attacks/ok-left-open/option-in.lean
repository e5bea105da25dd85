theorem foo (a b : Nat) : a + b = b + a := by
  exact Nat.add_comm a b

set_option maxRecDepth 2000 in
