theorem h : True := trivial
frobnicate bad := fun _ => 0

theorem foo : 1 = 2 := rfl
