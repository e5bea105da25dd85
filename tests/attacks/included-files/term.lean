def s : String := include_str "a.txt"

theorem foo : 1 = 2 := by simp
