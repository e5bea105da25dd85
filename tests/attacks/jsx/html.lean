#html <b>x</b>

theorem foo : 1 = 2 := by simp
