@[aesop unsafe 50% apply]
theorem swapped (a b : Nat) : a + b = b + a := Nat.add_comm a b

theorem foo (a b : Nat) : a + b = b + a := by
  aesop
