set_option linter.all true

theorem foo (a b : Nat) : a + b = b + a := by
  exact Nat.add_comm a b

variable (p : Prop) (h : p)
include h
