set_option debug.skipKernelTC true in
theorem foo : 1 = 2 := by rfl
