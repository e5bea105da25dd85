section
variable (q : Prop) (k : q)
include k
end

theorem foo (a b : Nat) : a + b = b + a := by
  exact Nat.add_comm a b
