theorem helper : ∀ a, a < 14 → ∀ b, b < 14 → ∀ c, c < 14 → a + b + c = c + b + a := by decide
theorem foo : 1 = 2 := by rfl
