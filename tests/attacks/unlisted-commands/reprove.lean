theorem h : True := trivial
reprove h by simp

theorem foo : 1 = 2 := rfl
