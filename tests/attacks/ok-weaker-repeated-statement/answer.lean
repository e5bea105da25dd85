theorem foo (P Q R : Prop) (hp : P) (hpq : P → Q) : Q := by
  exact hpq hp
