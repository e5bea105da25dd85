variable (h : False)
include h

theorem foo : 1 = 2 := h.elim
