set_option debug.skipKernelTC true
theorem h : 1 = 2 := by decide +kernel
set_option debug.skipKernelTC false
theorem foo : 1 = 2 := h
