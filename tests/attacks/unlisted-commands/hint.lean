unif_hint bad where
  |- 1 =?= 2

theorem foo : 1 = 2 := rfl
