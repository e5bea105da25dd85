theorem foo (P Q : Prop) (hp : P) (hpq : P → Q) : Q := by
  show Q
  exact hpq hp