simp
