open Lean in
run_cmd do
  let env ← getEnv
  setEnv (env.addDeclWithoutChecking default)

theorem foo : 1 = 2 := cheat
