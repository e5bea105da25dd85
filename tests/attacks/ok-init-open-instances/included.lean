set_option linter.all true

class Fact (p : Prop) : Prop where
  out : p

theorem foo (a b : Nat) : a + b = b + a := by
  exact Nat.add_comm a b

variable [hp : Fact (0 < 1)]
include hp
