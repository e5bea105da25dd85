theorem foo (P Q : Prop) (hp : P) (hpq : P → Q) : Q := hpq hp

#print axioms foo
