theorem foo : 1 = 2 := by
  aesop (add safe "native_decide")
