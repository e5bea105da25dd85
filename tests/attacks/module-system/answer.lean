module

public import Evil

theorem foo : 1 = 2 := rfl
