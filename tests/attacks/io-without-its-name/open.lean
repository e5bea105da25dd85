open IO in
def p := println 1

theorem foo : 1 = 2 := by simp
