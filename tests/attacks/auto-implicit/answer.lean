set_option autoImplicit true in
theorem foo (a b : nat) : a = b := by
  cases a
