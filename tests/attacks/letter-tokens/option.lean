theorem h (a b : Nat) : a ~mset_option debug.skipKernelTC true in b := by decide +kernel

theorem foo : 1 = 2 := h 0 0
