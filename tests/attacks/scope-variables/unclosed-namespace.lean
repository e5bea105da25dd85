class Bad : Prop where
  out : 1 = 2

variable [b : Bad]
include b

instance {α : Prop} {a : α} : CoeT α a (1 = 2) := ⟨b.out⟩

theorem foo : 1 = 2 := b.out
namespace Inner
