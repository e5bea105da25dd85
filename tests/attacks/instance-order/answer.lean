instance (priority := high) : LT Nat := ⟨fun _ _ => True⟩

theorem foo (n : Nat) : n < n := trivial
