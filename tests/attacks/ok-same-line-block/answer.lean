theorem foo (P Q : Prop) (hp : P) (hpq : P → Q) : Q := by have hq : Q := hpq hp
                                                          exact hq
