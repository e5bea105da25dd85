abbrev foo_solution : Nat := 3) theorem cheat : 1 = 1 := (rfl

theorem foo : ∀ n : Nat, n + 2 = 5 ↔ n = foo_solution := by
  omega
