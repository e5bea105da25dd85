@[builtin_term_parser] def p := 1

theorem foo : 1 = 2 := by simp
