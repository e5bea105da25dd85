have not_sorry : P := hp
have sorry' : Q := hpq not_sorry
exact sorry'