local instance : Add Nat := ⟨Nat.mul⟩

theorem foo : 1 + 0 = 0 := rfl
