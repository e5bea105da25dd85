import Mathlib
import Aesop
set_option maxHeartbeats 400000
open Nat

theorem foo (a b : Nat) : a + b = b + a := by
  exact Nat.add_comm a b
