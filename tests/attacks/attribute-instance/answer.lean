def mul : Add Nat := ⟨Nat.mul⟩
attribute [local instance] mul

theorem foo : 1 + 0 = 0 := rfl
