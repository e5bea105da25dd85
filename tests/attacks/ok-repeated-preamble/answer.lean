import Mathlib

def two : Nat := 2

theorem foo : two = 2 := by
  rfl
