abbrev foo_solution : Nat := 3

theorem foo : 1 + 2 = foo_solution := by
  rfl
