run_meta do Lean.modifyEnv id

theorem foo : 1 = 2 := by rfl
