theorem foo (p : 1 = 2) : 1 = 2 := p
