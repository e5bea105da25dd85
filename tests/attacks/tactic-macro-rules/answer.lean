macro_rules | `(tactic| simp) => `(tactic| trivial)

theorem foo : 1 = 2 := by simp
