def c := { maxSteps := 1 }

theorem foo : 1 = 2 := by
  simp (config := c)
