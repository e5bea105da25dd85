import Mathlib

theorem foo : 1 = 2 := by sorry
