declare_command_config_elab elabBad Bad

theorem foo : 1 = 2 := rfl
