variable {n : Empty}
include n

theorem foo (m : Nat) : m = 0 := n.elim
