partial def g : have : False := by apply?; False := g

theorem foo : 1 = 2 := by
  exact g.elim
