theorem k (a b : Nat) : a + b = b + a := Nat.add_comm a b

theorem foo (a b : Nat) : a + b = b + a := k p h a b
