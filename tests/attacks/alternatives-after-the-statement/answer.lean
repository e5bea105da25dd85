theorem foo : 1 = 2
  | _ => rfl
