aesop (add unsafe 50% apply Nat.add_comm)
