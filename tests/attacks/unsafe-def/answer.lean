unsafe def cast : 1 = 2 := unsafeCast ()

theorem foo : 1 = 2 := by
  exact cast
