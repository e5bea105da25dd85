theorem foo : 1 = 2 := by
  aesop (add safe tactic t)
