theorem foo : ∀ n : Nat, n = n
  | 0 => rfl
  | _ + 1 => rfl
