theorem foo : 1 = 2 := by
  aesop (add unsafe 50% tactic t)
