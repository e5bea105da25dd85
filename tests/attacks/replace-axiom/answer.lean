open Lean Elab Command in
run_elab do
  modifyEnv fun env => env

theorem foo : 1 = 2 := by
  exact propext_cheat
