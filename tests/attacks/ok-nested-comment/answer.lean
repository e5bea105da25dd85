/- outer /- inner sorry -/ still outer -/
exact Nat.add_comm a b