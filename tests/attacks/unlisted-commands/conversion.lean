theorem foo : 1 = 2 := by
  conv => run_conv pure ()
