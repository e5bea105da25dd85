theorem helper (n : Nat) : n = n := match n with | 100 => rfl | _ => rfl
theorem foo : 1 = 2 := by rfl
