namespace N
def Even (_ : Nat) : Prop := True
theorem _root_.foo (n : Nat) : n = n + 1 := by
  rfl
end N
