instance : HAppend String String String := ⟨fun a _ => a⟩
instance : ToString String := ⟨fun s => s⟩

def f : String := s!"-- {(fun (_ : 1 = 2) => "a") (by set_option debug.skipKernelTC true in decide +kernel)}"

theorem foo : 1 = 2 := f._proof_1
