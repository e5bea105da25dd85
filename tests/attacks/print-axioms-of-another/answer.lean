theorem good : True := trivial
#print axioms good

theorem foo : 1 = 2 := by
  rfl
#print axioms good
