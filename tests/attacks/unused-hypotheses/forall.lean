theorem foo : ∀ _ : 1 = 2, 1 = 2 := fun h => h
