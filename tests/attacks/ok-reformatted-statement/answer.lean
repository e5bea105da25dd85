theorem foo
    (P Q : Prop)
    (hp : P) -- the premise
    (hpq : P → Q) :
    Q := by
  exact hpq hp
