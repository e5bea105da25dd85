def s : String := "theorem foo : 1 = 2 := rfl"
