def h (a b : Nat) := a →runsafe b

theorem foo : 1 = 2 := h 0 0
