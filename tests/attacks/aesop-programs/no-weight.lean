theorem foo : 1 = 2 := by
  exact aesop (add (unsafe 50 % t))
