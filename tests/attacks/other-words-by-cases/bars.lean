theorem foo :
    | 0 => rfl := fun _ => rfl
