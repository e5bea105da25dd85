section
variable (h : 1 = 2)
include h

theorem foo : 1 = 2 := h
