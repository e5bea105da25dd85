grind_propagator bad ↑Eq := fun e => return

theorem foo : 1 = 2 := by grind
