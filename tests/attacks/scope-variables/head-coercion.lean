class Bad : Prop where
  out : 1 = 2

variable [b : Bad]
include b

instance : CoeHead (∀ [b : Bad], 1 = 2) (1 = 2) := ⟨fun _ => b.out⟩

theorem foo : 1 = 2 := b.out
