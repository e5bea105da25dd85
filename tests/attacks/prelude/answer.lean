prelude

theorem foo : 1 = 2 := rfl
