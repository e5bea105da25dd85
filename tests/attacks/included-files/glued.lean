def s (n : Nat) := n +include_str "a.txt"

theorem foo : 1 = 2 := by simp
