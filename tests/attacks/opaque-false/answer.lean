opaque v : False

theorem foo : 1 = 2 := v.elim
