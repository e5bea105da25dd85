/- We use no axiom, no #eval and no native_decide. -/
exact Nat.add_comm a b