theorem f​oo : 1 = 2 := by simp
