theorem foo : 1 = 2 := foo
termination_by 0
decreasing_by decide
