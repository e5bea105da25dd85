structure P where
  /--/ -- -/ x : (fun (_ : 1 = 2) => Nat) (by set_option debug.skipKernelTC true in decide +kernel)
  y : Nat

theorem foo : 1 = 2 := P._proof_1
