#guard_msgs (drop all) in
theorem foo : 1 = 2 := by simp
