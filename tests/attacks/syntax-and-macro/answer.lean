syntax "qed" : tactic
macro "qed" : tactic => `(tactic| trivial)

theorem foo : 1 = 2 := by qed
