class Bad : Prop where
  out : 1 = 2

variable [b : Bad]
include b

instance (h : ∀ [b : Bad], 1 = 2) : CoeDep (∀ [b : Bad], 1 = 2) h (1 = 2) := ⟨b.out⟩

theorem foo : 1 = 2 := b.out
