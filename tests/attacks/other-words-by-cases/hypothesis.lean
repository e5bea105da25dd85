theorem foo : (n : Nat) → n = 0 → n = 0
  | _, h => h
