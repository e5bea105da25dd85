open Lean in
run_meta do
  let e := Expr.proj `Subtype 1 (mkConst `x)
  logInfo m!"{e}"

theorem foo : 1 = 2 := by simp
