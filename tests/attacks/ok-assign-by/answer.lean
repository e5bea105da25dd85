:= by
  exact Nat.add_comm a b