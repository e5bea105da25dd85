namespace IO
def p := println 1
end IO

theorem foo : 1 = 2 := by simp
