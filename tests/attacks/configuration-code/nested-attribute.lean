@[reassoc (attr := command_elab Lean.Parser.Command.declaration)]
theorem h : True := trivial

theorem foo : 1 = 2 := by simp
