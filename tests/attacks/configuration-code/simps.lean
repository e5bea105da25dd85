@[simps (config := { fullyApplied := c })]
def d : Nat × Nat := (1, 2)

theorem foo : 1 = 2 := by simp
