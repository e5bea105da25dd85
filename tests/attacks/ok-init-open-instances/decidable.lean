set_option linter.all true

variable (p : Prop) [Decidable p]

theorem foo (a b : Nat) : a + b = b + a := by
  exact Nat.add_comm a b
