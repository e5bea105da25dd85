abbrev foo_solution : Nat := 4

theorem foo : ∀ n : Nat, n + 2 = 5 ↔ n = foo_solution := by
  intro n
  rfl
