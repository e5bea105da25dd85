cbv_simproc bad (1 = 2) := fun e => return .done e

theorem foo : 1 = 2 := by cbv
