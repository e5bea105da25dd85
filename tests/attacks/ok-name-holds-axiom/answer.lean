have axiomatic : P := hp
have admitted := hpq axiomatic
exact admitted