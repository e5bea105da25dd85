open Lean Meta
def p := mkSorry

theorem foo : 1 = 2 := by simp
