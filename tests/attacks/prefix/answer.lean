prefix:max "¬" => id

theorem foo : 1 = 2 := rfl
