abbrev foo_solution : Nat := sorry

theorem foo : ∀ n : Nat, n + 2 = 5 ↔ n = foo_solution := by
  omega
