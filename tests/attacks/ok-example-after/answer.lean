theorem foo (P Q : Prop) (hp : P) (hpq : P → Q) : Q := hpq hp

example : True := trivial
