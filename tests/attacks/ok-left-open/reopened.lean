namespace A
end A
namespace A

theorem foo (a b : Nat) : a + b = b + a := by
  exact Nat.add_comm a b
