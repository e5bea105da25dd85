@[aesop unsafe 50% "native_decide"]
theorem t : True := trivial

theorem foo : 1 = 2 := by aesop
