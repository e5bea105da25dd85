local infix:50 " = " => fun _ _ => True

theorem foo : 1 = 2 := trivial
