set_option linter.all true

class Fact (p : Prop) : Prop where
  out : p

variable (p : Nat) [hp : Fact (1 < p)]

theorem swapped (m : Nat) : m + p = p + m := Nat.add_comm m p

theorem foo (a b : Nat) : a + b = b + a := by
  exact Nat.add_comm a b
