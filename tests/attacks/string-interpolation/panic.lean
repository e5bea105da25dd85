def f : Nat := panic! "{(fun (_ : 1 = 2) => 0) (by set_option debug.skipKernelTC true in decide +kernel)}"

theorem foo : 1 = 2 := f._proof_1
