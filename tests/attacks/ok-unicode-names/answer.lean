have h₁ : P := hp
have «weird name» : Q := hpq h₁
exact «weird name»