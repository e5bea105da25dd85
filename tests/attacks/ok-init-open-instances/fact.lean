set_option linter.all true

class Fact (p : Prop) : Prop where
  out : p

variable (p : Nat) [Fact (1 < p)]

theorem foo (a b : Nat) : a + b = b + a := by
  exact Nat.add_comm a b
