simproc cheat (1 = 2) := fun _ => return .done { expr := Lean.mkConst ``True }

theorem foo : 1 = 2 := by simp
