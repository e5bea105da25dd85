/-- error: unsolved goals -/
#guard_msgs in
theorem foo : 1 = 2 := by simp
