notation3 "ℕ" => Unit

theorem foo : 1 = 2 := rfl
