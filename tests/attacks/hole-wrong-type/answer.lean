abbrev foo_solution : Nat → Prop := fun _ => True

theorem foo : ∀ n : Nat, n + 2 = 5 ↔ n = foo_solution := by
  intro n
  rfl
