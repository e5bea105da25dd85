register_sym_simp bad

theorem foo : 1 = 2 := by simp
