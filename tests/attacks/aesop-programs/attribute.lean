@[aesop safe tactic]
theorem t : True := trivial

theorem foo : 1 = 2 := by aesop
