@[aesop safe]
def t := 1

theorem foo : 1 = 2 := by aesop
