attribute [local aesop unsafe 20% apply] Nat.add_comm

theorem foo (a b : Nat) : a + b = b + a := by
  aesop
