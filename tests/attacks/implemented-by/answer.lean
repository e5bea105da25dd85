def bad : Bool := true
@[implemented_by bad] def good : Bool := false

theorem foo : 1 = 2 := by decide
