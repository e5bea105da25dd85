open Real in
theorem foo : 0 < π := by
  exact pi_pos
