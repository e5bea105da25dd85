namespace X
theorem foo (h : False) : 1 = 2 := h.elim
end X
