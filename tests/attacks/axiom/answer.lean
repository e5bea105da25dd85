axiom cheat : 1 = 2

theorem foo : 1 = 2 := cheat
