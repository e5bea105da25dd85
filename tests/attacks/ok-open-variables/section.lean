set_option linter.all true

section
variable {p : Prop} (h : p)

theorem swapped (a b : Nat) : b + a = a + b := Nat.add_comm b a

theorem foo (a b : Nat) : a + b = b + a := by
  exact Nat.add_comm a b
