instance : Coe (1 = 1) (1 = 2) := ⟨fun h => h.elim⟩

theorem foo : 1 = 2 := (rfl : 1 = 1)
