have hq : Q := hpq hp
  exact hq