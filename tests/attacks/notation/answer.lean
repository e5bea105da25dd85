notation "two" => 1

theorem foo : 1 = 2 := rfl
