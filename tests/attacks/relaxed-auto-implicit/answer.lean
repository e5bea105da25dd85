set_option relaxedAutoImplicit true

theorem foo : x = X := rfl
