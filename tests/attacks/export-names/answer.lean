export Nat (add)

theorem foo : 1 = 2 := by rfl
