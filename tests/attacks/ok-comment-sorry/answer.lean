-- no sorry here
/- sorry, this is longer than needed -/
exact Nat.add_comm a b -- sorry