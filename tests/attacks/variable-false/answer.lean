variable (h : False)

theorem foo : 1 = 2 := h.elim
